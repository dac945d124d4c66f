// rows_test.go runs the programs of README.md that are about memory, and checks that its table has
// every job.

package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// rows is how many jobs there are.
const rows = 35

var (
	rowOfTable  = regexp.MustCompile(`(?m)^\| (\d+) \| (.+) \| (.+) \| (.+) \|$`)
	linkOfTable = regexp.MustCompile(`\]\(([^)#]+)#?([^)]*)\)`)
)

func TestEveryRowHasAnExample(t *testing.T) {
	table := rowOfTable.FindAllStringSubmatch(readFile(t, "README.md"), -1)
	found := map[string]bool{}
	for i, row := range table {
		if row[1] != strconv.Itoa(i+1) || !strings.HasSuffix(row[2], "?") {
			t.Errorf("row %d is row %s: %q, want a question", i+1, row[1], row[2])
		}
		for _, link := range linkOfTable.FindAllStringSubmatch(row[3], -1) {
			found[link[1]] = true
			wantExample(t, row[1], link[1])
		}
		pages := linkOfTable.FindAllStringSubmatch(row[4], -1)
		if len(pages) != 1 {
			t.Errorf("row %s has %d pages: %s", row[1], len(pages), row[4])
			continue
		}
		wantSection(t, row[1], pages[0][1], pages[0][2])
	}
	if len(table) != rows {
		t.Errorf("the table has %d rows, want %d", len(table), rows)
	}
	wantAllFolders(t, found)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

// wantExample demands a folder with something to run or to read in it.
func wantExample(t *testing.T, row, folder string) {
	t.Helper()
	for _, pattern := range []string{"main.go", "*_test.go", "*.sh", "*.toml"} {
		if some, _ := filepath.Glob(filepath.Join(folder, pattern)); len(some) > 0 {
			return
		}
	}
	t.Errorf("row %s: there is no example in %s", row, folder)
}

// wantSection demands a page, and in it a heading that the anchor leads to.
func wantSection(t *testing.T, row, page, anchor string) {
	t.Helper()
	text := readFile(t, page)
	for line := range strings.Lines(text) {
		title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if ok && line[0] == '#' && (anchor == "" || anchorOf(title) == anchor) {
			return
		}
	}
	t.Errorf("row %s: %s has no section %q", row, page, anchor)
}

// anchorOf returns what GitHub makes of a heading.
func anchorOf(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || unicode.IsLetter(r) || unicode.IsNumber(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimSpace(title))
}

// wantAllFolders demands that no example is missing in the table.
func wantAllFolders(t *testing.T, found map[string]bool) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && e.Name() != "testdata" && !found[e.Name()] {
			t.Errorf("README.md has no row for %s", e.Name())
		}
	}
}

// wantFile demands that a program prints what is in a file of testdata.
func wantFile(t *testing.T, got, name string) {
	t.Helper()
	if want := readFile(t, filepath.Join("testdata", name)); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestMemoizeAFunction(t *testing.T) {
	wantOutput(t, run(t, "memoize-a-function"), lines(
		"fib(90) is 2880067194370816120",
		"cache_info: hits=88 misses=91 maxsize=128 currsize=91",
		"1000 squares: hits=0 misses=1000 maxsize=128 currsize=128",
		"one forgotten: hits=0 misses=1000 maxsize=128 currsize=127",
		"cache_clear: hits=0 misses=1000 maxsize=128 currsize=0",
		"100 at once, and one later: call 1 of 1",
		"at first: not yet",
		"then: done"))
}

func TestWhichKey(t *testing.T) { wantFile(t, run(t, "which-key"), "which-key.txt") }

func TestBoundedMemory(t *testing.T) {
	wantFile(t, run(t, "bounded-memory"), "bounded-memory.txt")
}

func TestWhichSize(t *testing.T) { wantFile(t, run(t, "which-size"), "which-size.txt") }

func TestWouldACacheHelp(t *testing.T) {
	t.Parallel() // it waits most of the time
	wantFile(t, run(t, "would-a-cache-help"), "would-a-cache-help.txt")
}

// loadSeconds is what the clock has a say in, loadBuckets are too many to compare.
var (
	loadSeconds = regexp.MustCompile(`(cache_(?:load_duration|saved)_seconds(?:_sum)?\{.*\}) (\S+)`)
	loadBuckets = regexp.MustCompile(`(?m)^cache_load_duration_seconds_bucket.*\n`)
)

func TestMetrics(t *testing.T) {
	got := loadBuckets.ReplaceAllString(run(t, "metrics"), "")
	took := loadSeconds.FindStringSubmatch(got)
	if took == nil {
		t.Fatalf("printed %q", got)
	}
	if s, err := strconv.ParseFloat(took[2], 64); err != nil || s < 0.017 || s > 60 {
		t.Errorf("17 loads of a millisecond took %s s", took[2])
	}
	wantFile(t, loadSeconds.ReplaceAllString(got, "$1 TIME"), "metrics.txt")
}

// TestSurvivesRestartSharedAndBounded starts several at once, and then fills the folder.
func TestSurvivesRestartSharedAndBounded(t *testing.T) {
	dir, loaded := t.TempDir(), 0
	all := []*program{}
	for range 4 {
		all = append(all, start(t, "survives-restart", dir))
	}
	for _, p := range all {
		switch out := p.ended(); out {
		case "42 (loaded)\n":
			loaded++
		case "42 (kept)\n":
		default:
			t.Errorf("printed %q", out)
		}
	}
	if loaded != 1 {
		t.Errorf("%d of 4 processes loaded", loaded)
	}
	wantOutput(t, run(t, "survives-restart", "-fill", dir), lines(
		"put in 64 MiB, more than half of the limit is used: true, never more than it: true",
		"the oldest had to leave: true"))
}
