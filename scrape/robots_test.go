// robots_test.go holds the rules of robots.txt to the tables in testdata and to a slow matcher.

package scrape_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/scrape"
)

func TestRobotsAgreesWithTheTables(t *testing.T) {
	data, err := os.ReadFile("testdata/robots.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(string(data), "\n== ")[1:] {
		parts := strings.SplitN(text, "---\n", 3)
		if len(parts) != 3 {
			t.Fatalf("a case is not three parts: %q", text)
		}
		t.Run(strings.TrimSpace(parts[0]), func(t *testing.T) { runRobots(t, parts[1], parts[2]) })
	}
}

func runRobots(t *testing.T, rules, asks string) {
	for _, ends := range []string{"\n", "\r\n", "\r"} {
		r := scrape.ParseRobots([]byte("\ufeff" + strings.ReplaceAll(rules, "\n", ends)))
		for ask := range strings.Lines(strings.TrimSpace(asks)) {
			f := append(strings.Fields(ask), "")
			if got, want := r.Allowed(f[1], f[2]), f[0] == "allow"; got != want {
				t.Errorf("lines end in %q: Allowed(%q, %q) = %v, want %v", ends, f[1], f[2], got, want)
			}
		}
	}
}

func TestRuleNamesItsLine(t *testing.T) {
	r := scrape.ParseRobots([]byte("User-agent: *\r\n\r\nAllow: /a\r\nDisallow: /a/*/c$\r\n"))
	rule, ok := r.Rule("larder", "/a/b/c")
	if got, want := rule.String(), "Disallow: /a/*/c$ (line 4)"; !ok || got != want {
		t.Errorf("rule = %s, %v, want %s", got, ok, want)
	}
	r = scrape.ParseRobots([]byte("User-agent: *\nDisallow: /\x1b[31m*" + strings.Repeat("x", 999)))
	rule, ok = r.Rule("larder", "/%1B[31m"+strings.Repeat("x", 999))
	if got := rule.String(); !ok || len(got) > 150 || strings.Contains(got, "\x1b") {
		t.Errorf("rule = %q, want it short and without control characters", got)
	}
	if rule, ok := r.Rule("larder", "/b"); ok {
		t.Errorf("rule of /b = %s, want none", rule)
	}
}

func TestCrawlDelayIsThatOfTheAgent(t *testing.T) {
	r := scrape.ParseRobots([]byte(`User-agent: slow
Crawl-delay: 7.5
User-agent: fast
Crawl-delay: 0.5
Disallow: /x
User-agent: slow
crawl-delay: 2
Allow: /x
User-agent: odd
Crawl-delay: NaN
Crawl-delay: -1
Crawl-delay: 1e300
Allow: /x
User-agent: *
Crawl-delay: 3
`))
	for agent, want := range map[string]time.Duration{
		"slow": 7500 * time.Millisecond, "fast": 500 * time.Millisecond,
		"odd": 1e6 * time.Second, "larder/1": 3 * time.Second,
	} {
		if got := r.CrawlDelay(agent); got != want {
			t.Errorf("CrawlDelay(%q) = %v, want %v", agent, got, want)
		}
	}
}

func TestSitemapsStandOutsideGroups(t *testing.T) {
	r := scrape.ParseRobots([]byte("Sitemap: https://e.org/a.xml\nUser-agent: x\nsitemap:/b # c\n"))
	if got, want := r.Sitemaps(), []string{"https://e.org/a.xml", "/b"}; !slices.Equal(got, want) {
		t.Errorf("Sitemaps() = %q, want %q", got, want)
	}
}

func TestRobotsReadsOnlyItsFirst500KiB(t *testing.T) {
	filler := strings.Repeat("# filler of thirty-two octets...\n", 500<<10/33)
	rule := "User-agent: *\nDisallow: /\n"
	if scrape.ParseRobots([]byte(rule+filler+filler)).Allowed("larder", "/x") {
		t.Error("a rule at the start of a long file does not count")
	}
	if !scrape.ParseRobots([]byte(filler+filler+rule)).Allowed("larder", "/x") {
		t.Error("a rule behind the limit counts")
	}
}

func TestRobotsMatchesInLinearTime(t *testing.T) {
	rules := "User-agent: *\n" + strings.Repeat("Disallow: /"+strings.Repeat("a*", 1000)+"b\n", 200)
	r := scrape.ParseRobots([]byte(rules))
	start := time.Now()
	if !r.Allowed("larder", "/"+strings.Repeat("a", 4000)) {
		t.Error("a pattern that ends in b matches a path without one")
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("matching took %v", took)
	}
}

func TestManyAgentsTimesManyRulesStaysSmall(t *testing.T) {
	rules := strings.Repeat("User-agent: a\n", 15_000) + strings.Repeat("Disallow: /b\n", 20_000)
	r := scrape.ParseRobots([]byte(rules))
	if allocs := testing.AllocsPerRun(1, func() { scrape.ParseRobots([]byte(rules)) }); allocs > 2e5 {
		t.Errorf("parsing makes %v allocations", allocs)
	}
	if r.Allowed("a", "/b") {
		t.Error("/b is allowed")
	}
}

// FuzzRobots compares the matcher with a regular expression made from the same pattern.
func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /a*b$\n", "/*a*$", "/xay")
	f.Add("\xef\xbb\xbfuseragent:a\rcrawl-delay: 1e9", "/%7e%2a$", "/~*")
	f.Add("Sitemap:", "/ツ*%e3", "/%E3%83%84%E3")
	f.Fuzz(func(t *testing.T, file, pattern, path string) {
		r := scrape.ParseRobots([]byte(file))
		r.Allowed("larder", path)
		if r.CrawlDelay("larder") < 0 {
			t.Errorf("negative Crawl-delay")
		}
		if strings.ContainsAny(pattern+path, "%#\r\n \t\v\f\u0085\u00a0") || !isPlain(pattern+path) {
			return
		}
		r = scrape.ParseRobots([]byte("User-agent: *\nDisallow: /" + pattern))
		got := !r.Allowed("larder", "/"+path)
		want := regexpOf("/"+pattern).MatchString("/"+path) && path != "robots.txt"
		if got != want {
			t.Errorf("pattern %q, path %q: matches = %v, want %v", "/"+pattern, "/"+path, got, want)
		}
	})
}

func isPlain(s string) bool {
	return len(s) < 4096 && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

func regexpOf(pattern string) *regexp.Regexp {
	pattern, ends := strings.CutSuffix(pattern, "$")
	expr := "^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*")
	if ends {
		expr += "$"
	}
	return regexp.MustCompile(expr)
}
