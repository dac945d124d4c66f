// larder_test.go tests the rules that need neither a process nor a cache.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func TestRecipesThatDifferHaveDifferentKeys(t *testing.T) {
	recipes := []recipe{
		{argv: []string{"a"}},
		{argv: []string{"a", ""}},
		{argv: []string{"a", "b c"}},
		{argv: []string{"a", "b", "c"}},
		{argv: []string{"a"}, dir: "/"},
		{argv: []string{"a"}, extra: "/"},
		{argv: []string{"a"}, stdin: "/"},
		{argv: []string{"a"}, envs: []variable{{"X", "", false}}},
		{argv: []string{"a"}, envs: []variable{{"X", "", true}}},
		{argv: []string{"a"}, envs: []variable{{"X", "Y", true}}},
		{argv: []string{"a"}, envs: []variable{{"XY", "", true}}},
		{argv: []string{"a"}, files: []input{{"X", "Y"}}},
		{argv: []string{"a"}, files: []input{{"XY", ""}}},
	}
	seen := map[string]int{}
	for i, r := range recipes {
		if j, taken := seen[r.key()]; taken {
			t.Errorf("%+v and %+v have one key", recipes[j], r)
		}
		seen[r.key()] = i
	}
}

func TestKeysAreReadable(t *testing.T) {
	long := string(bytes.Repeat([]byte("é"), 4000))
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"echo", "it's", ""}, `run:echo 'it'\''s' ''`},
		{[]string{"a\x1b[2J\n", "\xff"}, `run:'a\x1b[2J\n' \xff`},
		{[]string{long}, "run:" + long[:shownCommand] + "…"},
	} {
		key := recipe{argv: c.argv}.key()
		if got := key[:len(key)-len(" #")-32]; got != c.want {
			t.Errorf("%q: got %s, want %s", c.argv, got, c.want)
		}
		if err := store.CheckKey(key); err != nil {
			t.Error(err)
		}
	}
}

func TestRecordsSurviveTheirCodec(t *testing.T) {
	want := record{
		exit: 3, started: time.Unix(5, 6), took: time.Minute, failed: time.Unix(7, 8),
		failure: "why", argv: []string{"a", "", "b"}, stdout: []byte("out"), stderr: []byte("err"),
	}
	got, err := decodeRecord(want.encode())
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
}

func TestRecordsOfAnotherVersionAreMisses(t *testing.T) {
	b := record{stdout: []byte("x")}.encode()
	b[len(recordMagic)]++
	if _, err := decodeRecord(b); err != errRecord {
		t.Errorf("got %v, want %v", err, errRecord)
	}
}

func FuzzDecodeRecord(f *testing.F) {
	good := record{failure: "f", argv: []string{"a"}, stdout: []byte("o")}.encode()
	for i := range good {
		f.Add(good[:i])
	}
	f.Add(good)
	f.Add(append([]byte("LRUN\x01\x00\x00\x00\x00\x00"), bytes.Repeat([]byte{0xff}, 10)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err != nil {
			return
		}
		again, err := decodeRecord(r.encode())
		if err != nil || !bytes.Equal(again.stdout, r.stdout) || len(again.argv) != len(r.argv) {
			t.Errorf("%q: got %+v, then %+v, %v", b, r, again, err)
		}
	})
}

func TestJudge(t *testing.T) {
	now := time.Unix(1e9, 0)
	ago := func(d time.Duration, exit int) kept {
		at := now.Add(-d)
		return kept{record{exit: exit, started: at}, store.Item{Created: at}}
	}
	usual := runOptions{ttl: duration(time.Minute), stale: duration(time.Hour)}
	for _, c := range []struct {
		name  string
		o     runOptions
		k     kept
		found bool
		want  verdict
	}{
		{"absent", usual, kept{}, false, load},
		{"fresh", usual, ago(59*time.Second, 0), true, serve},
		{"stale", usual, ago(time.Minute, 0), true, serveStale},
		{"gone", usual, ago(61*time.Minute, 0), true, load},
		{"from the near future", usual, ago(-time.Second, 0), true, serve},
		{"from the far future", usual, ago(-time.Hour, 0), true, load},
		{"failed", usual, ago(0, 1), true, load},
		{"accepted", runOptions{ttl: forever, accept: []int{1}}, ago(0, 1), true, serve},
		{"old but forever", runOptions{ttl: forever, stale: forever}, ago(9e17, 0), true, serve},
		{"no time to live", runOptions{}, ago(0, 0), true, load},
		{"offline", runOptions{offline: true}, ago(9e17, 0), true, serve},
		{"refresh, kept before", runOptions{refresh: true, ttl: forever}, ago(1, 0), true, load},
		{"refresh, begun since", runOptions{refresh: true}, ago(-1, 0), true, serve},
	} {
		if got := c.o.judge(c.k, c.found, now, now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "12": 12, "12B": 12, "64MiB": 64 << 20, "10MB": 10e6, "1.5 KiB": 1536, "2k": 2048,
		"1GiB": 1 << 30, "3TB": 3e12,
	} {
		if got, err := parseSize(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "B", "-1", "1XB", "MiB", "1iB", "nan", "inf", "9e30", "1KK"} {
		if got, err := parseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "15m": 15 * time.Minute, "1h30m": 90 * time.Minute, "7d": 168 * time.Hour,
		"0.5d": 12 * time.Hour, "forever": math.MaxInt64,
	} {
		got, err := parseDuration(text)
		if got != want || err != nil {
			t.Errorf("%q: got %v, %v, want %v", text, got, err, want)
		}
		if again, err := parseDuration(formatDuration(got)); again != got || err != nil {
			t.Errorf("%q: written as %s", text, formatDuration(got))
		}
	}
	for _, text := range []string{"", "15", "-1s", "d", "-1d", "nand", "1e9d", "infd", "2e6h"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0B", 1023: "1023B", 1024: "1KiB", 1536: "1.5KiB", 64 << 20: "64MiB",
		999 << 10: "999KiB", math.MaxInt64: "8EiB",
	} {
		if got := formatSize(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"a", "a", true}, {"a", "ab", false},
		{"*.go.dev*", "http:https://pkg.go.dev/x", true}, {"a*c", "abcbc", true},
		{"a*c", "abcb", false}, {"a?c", "aéc", true}, {"?", "", false}, {"**a**", "bab", true},
		{"*a*b*c*", "xxaxxbxx", false}, {"[a]", "a", false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%q, %q: got %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

func TestFileNames(t *testing.T) {
	for address, want := range map[string]string{
		"https://go.dev/dl":            "go.dev_dl-*.html",
		"https://go.dev/":              "go.dev-*.html",
		"https://go.dev":               "go.dev-*.html",
		"https://go.dev/blog/":         "go.dev_blog-*.html",
		"https://a/b.d/":               "a_b.d-*.html",
		"https://a/x.tar.gz?q=1.html":  "a_x.tar-*.gz",
		"https://a/b.d/c":              "a_b.d_c-*.html",
		"https://a/b.averylongone":     "a_b.averylongone-*.html",
		"https://a/b.j%2fs":            "a_b.j_s-*.html",
		"https://a/b.p~g":              "a_b.p_g-*.html",
		"http://127.0.0.1:80/x.pdf#p2": "127.0.0.1_80_x-*.pdf",
		"https://a/b.":                 "a_b.-*.html",
		"://":                          "___-*.html",
	} {
		if got := fileName(address); !glob(want, got) || len(got) != len(want)-1+8 {
			t.Errorf("%q: got %s, want %s", address, got, want)
		}
	}
}

func TestJSONHasNoControls(t *testing.T) {
	var b bytes.Buffer
	text := "a\x00\x1b[\x7f\u0080\u009b2J\u009f\u00a0<é>\U0001f600"
	if err := writeJSON(&b, text); err != nil {
		t.Fatal(err)
	}
	want := `"a\u0000\u001b[\u007f\u0080\u009b2J\u009f` + "\u00a0<é>\U0001f600\"\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", &b, want)
	}
	var again string
	if err := json.Unmarshal(b.Bytes(), &again); err != nil || again != text {
		t.Errorf("read back %q, %v, want %q", again, err, text)
	}
}

func TestAddressesOfStdin(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	var failed error
	in := strings.NewReader("\ufeffa\r\n\n # no\n" + long + "yz\n\ufeff b \n#" + long + "\nc" + long)
	got := slices.Collect(addresses([]string{"first", "-", "last"}, in, &failed))
	want := []string{"first", "a", long, "b", "c" + long[1:], "last"}
	if !slices.Equal(got, want) || failed != nil {
		t.Errorf("got %.20q, %v, want %.20q", got, failed, want)
	}
	broken := io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(io.ErrUnexpectedEOF))
	got = slices.Collect(addresses([]string{"-"}, broken, &failed))
	if !slices.Equal(got, []string{"a", "b"}) || failed != io.ErrUnexpectedEOF {
		t.Errorf("got %q, %v, want a, b and the error", got, failed)
	}
}

func TestTroubleIsSaidInOneWay(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("httpcache: store http://a/: %w", disk.ErrReadOnly),
			"the cache is read-only: nothing is kept"},
		{fmt.Errorf("httpcache: store body of http://a/: %w",
			&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}),
			"the cache cannot be written: no space left on device: pages are not kept"},
		{fmt.Errorf("httpcache: store http://a/: %w", store.ErrTooLarge),
			"httpcache: store http://a/: store: item too large"},
		{fmt.Errorf("httpcache: read http://a/: %w", io.ErrUnexpectedEOF),
			"the cache is in trouble: unexpected EOF: see larder cache verify"},
	} {
		if got := storeTrouble(c.err); got != c.want {
			t.Errorf("%v: got %s, want %s", c.err, got, c.want)
		}
	}
}

func TestFlagWords(t *testing.T) {
	text := "http://a/MaxBody/MaxWait: 9 bytes announced, MaxBody is 1000, MaxWait is 1s"
	want := "http://a/MaxBody/MaxWait: 9 bytes announced, --max-body is 1000, --max-wait is 1s"
	if got := new(pages).flagWords(text); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRecorderForgetsWhatIsTooLong(t *testing.T) {
	var live bytes.Buffer
	r := recorder{limit: 3}
	out, talk := r.stdout(&live), r.stderr(&live)
	for _, step := range []struct {
		write string
		over  bool
	}{{"ab", false}, {"c", false}, {"d", true}, {"e", true}} {
		if _, err := out.Write([]byte(step.write)); err != nil {
			t.Fatal(err)
		}
		if got := r.over(); got != step.over {
			t.Errorf("after %q: over is %v, want %v", step.write, got, step.over)
		}
		out, talk = talk, out
	}
	if live.String() != "abcde" || r.out.Len()+r.err.Len() != 0 {
		t.Errorf("passed %q, kept %d bytes", &live, r.out.Len()+r.err.Len())
	}
}
