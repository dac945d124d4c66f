// robots.go reads a robots.txt and says what it allows (RFC 9309), without any I/O.

package scrape

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxRobots     = 500 << 10 // bytes that are read; RFC 9309 section 2.5 asks for at least as many
	maxRobotsLine = 16 << 10  // bytes of a line that are read; no URL we fetch is longer
)

// Robots are the rules of one robots.txt. The zero value allows everything. It is never changed
// after [ParseRobots], so it is safe for concurrent use.
type Robots struct {
	groups   []group
	sitemaps []string
}

// group is a run of User-agent lines with the rules below them.
type group struct {
	agents []string // product tokens in lower case, or "*"
	rules  []Rule
	delays []delay
}

// delay is a Crawl-delay for the agents named above it: those of the group with an index below n.
type delay struct {
	n    int
	wait time.Duration
}

// ParseRobots reads a robots.txt. It never fails: what it cannot read it skips, like every other
// crawler. Only the first 500 KiB are read, and of a line the first 16 KiB.
//
// Accepted beyond the RFC are a byte order mark, a lone CR as the end of a line, a missing colon,
// common misspellings of the names, and Crawl-delay.
func ParseRobots(data []byte) *Robots {
	data = data[:min(len(data), maxRobots)]
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	p := robotsParser{robots: &Robots{}}
	for number := 1; len(data) > 0; number++ {
		var line []byte
		line, data = cutLine(data)
		name, value := splitLine(string(line[:min(len(line), maxRobotsLine)]))
		p.add(number, name, value)
	}
	return p.robots
}

// robotsParser knows the group that the next line belongs to: the last one.
type robotsParser struct {
	robots *Robots
	naming bool // the last group has no rule yet, so a User-agent line joins it
}

func (p *robotsParser) add(number int, name, value string) {
	switch fieldOf(name) {
	case fieldAgent:
		p.addAgent(value)
	case fieldAllow:
		p.addRule(Rule{Allow: true, Pattern: value, Line: number})
	case fieldDisallow:
		p.addRule(Rule{Pattern: value, Line: number})
	case fieldDelay:
		p.addDelay(value)
	case fieldSitemap:
		if value != "" {
			p.robots.sitemaps = append(p.robots.sitemaps, value)
		}
	}
}

func (p *robotsParser) addAgent(value string) {
	token := productToken(value)
	if isStar(value) {
		token = "*"
	}
	if !p.naming {
		p.robots.groups = append(p.robots.groups, group{})
		p.naming = true
	}
	g := p.last()
	g.agents = append(g.agents, token)
}

// addRule adds to the last group. A pattern that is empty or starts with neither / nor * matches
// nothing, but it still ends the list of agents.
func (p *robotsParser) addRule(r Rule) {
	g := p.last()
	if g == nil {
		return
	}
	p.naming = false
	if strings.HasPrefix(r.Pattern, "/") || strings.HasPrefix(r.Pattern, "*") {
		g.rules = append(g.rules, r.compile())
	}
}

// addDelay does not end the list of agents: lines that the RFC does not know must not split groups.
func (p *robotsParser) addDelay(value string) {
	g := p.last()
	seconds, err := strconv.ParseFloat(value, 64)
	if g == nil || err != nil || math.IsNaN(seconds) || seconds <= 0 {
		return
	}
	wait := time.Duration(min(seconds, 1e6) * float64(time.Second))
	g.delays = append(g.delays, delay{n: len(g.agents), wait: wait})
}

func (p *robotsParser) last() *group {
	if n := len(p.robots.groups); n > 0 {
		return &p.robots.groups[n-1]
	}
	return nil
}

// Allowed reports whether agent may ask for pathAndQuery. The agent is a product token such as
// "larder" or a whole User-Agent header that starts with it; the path is as in the request line.
func (r *Robots) Allowed(agent, pathAndQuery string) bool {
	rule, ok := r.Rule(agent, pathAndQuery)
	return !ok || rule.Allow
}

// Rule returns the rule that decides whether agent may ask for pathAndQuery: the one with the
// longest pattern that matches, and of two as long the one that allows. It returns false where no
// rule speaks of the path, and always for /robots.txt itself: the path is then allowed.
func (r *Robots) Rule(agent, pathAndQuery string) (Rule, bool) {
	path := normalPath(pathAndQuery)
	if path == "/robots.txt" {
		return Rule{}, false
	}
	var best Rule
	for g := range r.groupsOf(agent) {
		for _, rule := range g.rules {
			if rule.beats(best) && rule.match(path) {
				best = rule
			}
		}
	}
	return best, best.Line > 0
}

// CrawlDelay returns how long agent is asked to wait between two requests, 0 if nothing is asked.
// Of several answers the longest counts.
func (r *Robots) CrawlDelay(agent string) time.Duration {
	var longest time.Duration
	token := r.tokenFor(agent)
	for _, g := range r.groups {
		first := slices.Index(g.agents, token)
		for _, d := range g.delays {
			if first >= 0 && first < d.n {
				longest = max(longest, d.wait)
			}
		}
	}
	return longest
}

// Sitemaps returns the addresses of the Sitemap lines, as they are written there.
func (r *Robots) Sitemaps() []string { return slices.Clone(r.sitemaps) }

// groupsOf yields the groups that bind agent: all those that name it, else all for everybody.
func (r *Robots) groupsOf(agent string) func(yield func(*group) bool) {
	token := r.tokenFor(agent)
	return func(yield func(*group) bool) {
		for i := range r.groups {
			g := &r.groups[i]
			if slices.Contains(g.agents, token) && !yield(g) {
				return
			}
		}
	}
}

// tokenFor returns the token by which the groups of agent are found: its own where one names it.
func (r *Robots) tokenFor(agent string) string {
	token := productToken(agent)
	for _, g := range r.groups {
		if token != "" && slices.Contains(g.agents, token) {
			return token
		}
	}
	return "*"
}

// productToken returns the leading letters, hyphens and underscores of s in lower case.
func productToken(s string) string {
	end := strings.IndexFunc(s, func(c rune) bool {
		return c != '-' && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z')
	})
	if end < 0 {
		end = len(s)
	}
	return strings.ToLower(s[:end])
}

// isStar reports whether the value of a User-agent line means everybody.
func isStar(value string) bool {
	return value == "*" || strings.HasPrefix(value, "* ") || strings.HasPrefix(value, "*\t")
}

// cutLine returns the first line without its end, which is LF, CR or CRLF, and the rest.
func cutLine(data []byte) (line, rest []byte) {
	i := bytes.IndexAny(data, "\r\n")
	if i < 0 {
		return data, nil
	}
	rest = data[i+1:]
	if data[i] == '\r' && len(rest) > 0 && rest[0] == '\n' {
		rest = rest[1:]
	}
	return data[:i], rest
}

// splitLine returns the name and the value of a line without its comment. Where the colon is
// missing, white space between exactly two words stands for it.
func splitLine(line string) (name, value string) {
	line, _, _ = strings.Cut(line, "#")
	name, value, ok := strings.Cut(line, ":")
	if ok {
		return strings.TrimSpace(name), strings.TrimSpace(value)
	}
	if words := strings.Fields(line); len(words) == 2 {
		return words[0], words[1]
	}
	return "", ""
}

// field is what the name of a line means to us.
type field int

const (
	fieldUnknown field = iota
	fieldAgent
	fieldAllow
	fieldDisallow
	fieldDelay
	fieldSitemap
)

func fieldOf(name string) field {
	switch strings.ToLower(name) {
	case "user-agent", "useragent", "user agent":
		return fieldAgent
	case "allow":
		return fieldAllow
	case "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw":
		return fieldDisallow
	case "crawl-delay", "crawldelay", "crawl delay":
		return fieldDelay
	case "sitemap", "site-map":
		return fieldSitemap
	}
	return fieldUnknown
}
