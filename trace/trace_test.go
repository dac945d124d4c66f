// trace_test.go reads traces of every format, good and bad.

package trace_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"github.com/larder-go/larder/trace"
)

// names are the keys of a trace in their order.
func names(t *trace.Trace) []string {
	var all []string
	for _, k := range t.Keys {
		all = append(all, t.Name(k))
	}
	return all
}

func lines(text ...string) string { return strings.Join(text, "\n") + "\n" }

func u32(keys ...uint32) string {
	var b []byte
	for _, k := range keys {
		b = binary.LittleEndian.AppendUint32(b, k)
	}
	return string(b)
}

func u64(keys ...uint64) string {
	var b []byte
	for _, k := range keys {
		b = binary.LittleEndian.AppendUint64(b, k)
	}
	return string(b)
}

// oracle is a record of oracleGeneral.
func oracle(time uint32, key uint64, size uint32, next int64) string {
	b := binary.LittleEndian.AppendUint32(nil, time)
	b = binary.LittleEndian.AppendUint64(b, key)
	b = binary.LittleEndian.AppendUint32(b, size)
	return string(binary.LittleEndian.AppendUint64(b, uint64(next)))
}

const (
	common   = `10.0.0.1 - - [10/Oct/2026:13:55:36 +0000] "GET /a?x=1 HTTP/1.1" 200 2326`
	combined = common + ` "https://ref/" "Mozilla/5.0 (\"quoted\")"`
)

func TestFormatsAreRecognizedAndRead(t *testing.T) {
	for _, c := range []struct {
		name, in, format string
		keys             string // joined by a space
		sizes            []uint32
	}{
		{"text", lines("a", "b c", "", "a"), "text", "a|b c|a", nil},
		{"text without an end", "a\r\nb", "text", "a|b", nil},
		{"text with a byte order mark", "\ufeffa\nb\na", "text", "a|b|a", nil},
		{"latin-1", "caf\xe9\ncaf\xe9\n", "text", "caf\xe9|caf\xe9", nil},
		{"lirs", lines("7", "8", "7", "*", "9"), "lirs", "7|8|7", nil},
		{"arc", lines("5 3 0 0", "4 2 0 1"), "arc", "5|6|7|4|5", nil},
		{"csv", lines("time,key,size", "1,a,10", `2,"b,""c""",20`), "csv", `a|b,"c"`,
			[]uint32{10, 20}},
		{"csv without size", lines("time;url", "1;/a", "2;/b"), "csv", "/a|/b", nil},
		{"tsv", lines("Object ID\tBody-Bytes-Sent", "a\t5", "a\t5000000000"), "tsv", "a|a",
			[]uint32{5, math.MaxUint32}},
		{"log", lines(common, common), "log", "/a?x=1|/a?x=1", []uint32{2326, 2326}},
		{"log, combined", lines(combined), "log", "/a?x=1", []uint32{2326}},
		{"log with a host", lines("h.org:80 " + combined), "log", "h.org:80/a?x=1", []uint32{2326}},
		{"monitor", lines("OK", `1339518083.107412 [0 127.0.0.1:60866] "get" "a b"`,
			`1339518084.1 [0 unix:/tmp/x] "MGET" "\x41\"\\" "\n"`, `1.2 [0 lua] "hget" "h" "f"`),
			"monitor", "a b|A\"\\|\n|h", nil},
		{"u32", u32(5, 1<<20, 5), "u32", "5|1048576|5", nil},
		{"u64", u64(5, 7, 5, 0, 8, 1<<20), "u64", "5|7|5|0|8|1048576", nil},
		{"oracleGeneral", oracle(1, 1<<60, 9, 2) + oracle(1, 2, 8, -1) +
			oracle(2, 1<<60, 9, math.MaxInt64), "oracleGeneral",
			"1152921504606846976|2|1152921504606846976", []uint32{9, 8, 9}},
	} {
		got, err := trace.Read(strings.NewReader(c.in), trace.Options{KeepKeys: true})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		format := strings.Replace(c.format, "tsv", "csv", 1)
		if keys := strings.Join(names(got), "|"); got.Format != format || keys != c.keys ||
			!slices.Equal(got.Sizes, c.sizes) || got.Bad.Count != 0 {
			t.Errorf("%s: got %s, %q, %v, %v, want %s, %q, %v", c.name, got.Format, keys, got.Sizes,
				got.Bad, format, c.keys, c.sizes)
		}
		distinct := slices.Compact(slices.Sorted(slices.Values(names(got))))
		if got.Distinct != len(distinct) {
			t.Errorf("%s: got %d keys, want %d", c.name, got.Distinct, len(distinct))
		}
	}
}

func TestCompressionIsRecognized(t *testing.T) {
	plain := strings.Repeat(lines("a", "b"), 1000)
	for kind, in := range map[string]string{"": plain, "gzip": gzipped(plain), "zstd": zstded(plain)} {
		got, err := trace.Read(iotest.HalfReader(strings.NewReader(in)), trace.Options{})
		if err != nil || got.Compression != kind || len(got.Keys) != 2000 || got.Distinct != 2 {
			t.Errorf("%q: got %+v, %v", kind, got, err)
		}
	}
}

func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

func zstded(text string) string {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		panic(err)
	}
	return string(z.EncodeAll([]byte(text), nil))
}

func TestBadLinesAreCountedAndNotFatal(t *testing.T) {
	long := strings.Repeat("x", 64<<10+1)
	huge := strings.Repeat("x", 1<<20)
	get := `1.1 [0 127.0.0.1:1] `
	for _, c := range []struct {
		in   string
		o    trace.Options
		keys int
		bad  []trace.BadLine
	}{
		{lines("a", long, huge, "b\x00", "c", huge), trace.Options{Format: "text"}, 2,
			[]trace.BadLine{{2, "longer than 64 KiB"}, {3, "longer than 64 KiB"}, {4, "not text"},
				{6, "longer than 64 KiB"}}},
		{lines("1 2 0 0", "x 1 0 0", "1 -1 0 0", "1", "1 99999999 0 0"), trace.Options{Format: "arc"},
			2, []trace.BadLine{{2, "the first block is not a number"},
				{3, "the count of blocks is not one of 0 to 8192"}, {4, "not four numbers"},
				{5, "the count of blocks is not one of 0 to 8192"}}},
		{lines("key,size", "a,1", "b,x", "c", ",4"), trace.Options{}, 1,
			[]trace.BadLine{{3, "the size is not a number"}, {4, "no size"}, {5, "no key"}}},
		{lines(common, "x", strings.Replace(common, "200", "abc", 1),
			strings.Replace(common, `GET /a?x=1 HTTP/1.1`, `\x16\x03`, 1), common), trace.Options{}, 2,
			[]trace.BadLine{{2, "no [time]"}, {3, "no status after the request"},
				{4, "the request is not METHOD target protocol"}}},
		{lines(get+`"get" "a"`, get+`"get" "b`, get+`"get`, get+`"get"`, "x"),
			trace.Options{Format: "monitor"}, 1, []trace.BadLine{{2, "a key does not end"},
				{3, "the command does not end"}, {4, "no key"},
				{5, `not: time [database client] "command" "key"`}}},
		{u32(1, 2) + "abc", trace.Options{Format: "u32"}, 2, []trace.BadLine{{3, "3 bytes of 4"}}},
	} {
		got, err := trace.Read(strings.NewReader(c.in), c.o)
		if err != nil {
			t.Errorf("%.40q: %v", c.in, err)
			continue
		}
		if len(got.Keys) != c.keys || !slices.Equal(got.Bad.First, c.bad) ||
			got.Bad.Count != len(c.bad) {
			t.Errorf("%.40q: got %d keys, %+v, want %d, %+v", c.in, len(got.Keys), got.Bad, c.keys,
				c.bad)
		}
	}
}

func TestWhatIsNoTraceIsRefused(t *testing.T) {
	zipped := gzipped(strings.Repeat("some key\n", 5000))
	damaged := []byte(zipped)
	damaged[len(damaged)-5] ^= 1 // in the checksum
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		program = []byte("\x7fELF\x02\x01\x01\x00")
	}
	for _, c := range []struct {
		name, in string
		want     error
		says     string
	}{
		{"nothing", "", trace.ErrEmpty, "the trace is empty"},
		{"empty lines", "\n\n", trace.ErrNoAccess, "read as text"},
		{"compressed nothing", gzipped(""), trace.ErrEmpty, "the trace is empty"},
		{"a program", string(program), trace.ErrUnknown, "it is a program"},
		{"bytes", "\x00\xff\xfe\x80\x00\x01\xff\xff", trace.ErrUnknown, "name the format u32 or u64"},
		{"xz", "\xfd7zXZ\x00\x00", trace.ErrUnknown, "compressed with xz: decompress it first"},
		{"half a gzip", zipped[:len(zipped)/2], trace.ErrTruncated, "ends in the middle, after"},
		{"a gzip without its end", zipped[:len(zipped)-4], trace.ErrTruncated, "after 5000"},
		{"a gzip header", zipped[:5], trace.ErrTruncated, "ends in the middle"},
		{"a wrong checksum", string(damaged), trace.ErrDamaged, "after 5000 accesses"},
		{"half a zstd", zstded(zipped)[:50], trace.ErrTruncated, "after 0 accesses"},
		{"only writes", lines(`1.1 [0 a:1] "set" "a" "b"`, `1.1 [0 a:1] "ping"`),
			trace.ErrNoAccess, "1 writes and 1 others"},
		{"a table of what?", lines("a,b", "1,2"), trace.ErrKey, "CSV without a column called key"},
	} {
		got, err := trace.Read(strings.NewReader(c.in), trace.Options{})
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, %v, want %v with %q", c.name, got, err, c.want, c.says)
		}
	}
	broken := iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a\nb\n")))
	if _, err := trace.Read(broken, trace.Options{}); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("got %v, want %v", err, iotest.ErrTimeout)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, c := range []struct {
		o    trace.Options
		says string
	}{
		{trace.Options{Format: "nope"}, `format "nope": unknown: one of monitor, log, csv`},
		{trace.Options{Limit: -1}, "limit -1: give 0 to"},
		{trace.Options{Key: "{a"}, "write a name between braces"},
		{trace.Options{Key: "{}"}, "write a name between braces"},
		{trace.Options{Key: "{a{b}}"}, "write a name between braces"},
		{trace.Options{Key: "a}"}, "a brace is closed that was not opened"},
	} {
		err := c.o.Check()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: got %v, want %q", c.o, err, c.says)
		}
		if _, again := trace.Read(strings.NewReader("a\n"), c.o); again == nil {
			t.Errorf("%+v: read", c.o)
		}
	}
}

func TestTheKeyIsWhatOneNames(t *testing.T) {
	log := lines(
		`h.org:80 10.0.0.1 - joe [t] "GET /a?x=1 HTTP/1.1" 200 1 "https://ref/" "agent"`,
		`10.0.0.1 - - [t] "POST http://other/b HTTP/1.1" 200 1`)
	table := lines("host,path,n", "h,/a,5", "h,/b,6")
	bare := lines("9,x", "9,y")
	for _, c := range []struct {
		in, key, size string
		want          string
		sizes         []uint32
	}{
		{log, "", "", "h.org:80/a?x=1", []uint32{1}},
		{log, "path", "", "/a", []uint32{1}},
		{log, "{host}{path}", "", "h.org:80/a", []uint32{1}},
		{log, "{method} {host}{url}", "", "GET h.org:80/a?x=1|POST other/b", []uint32{1, 1}},
		{log, "<{client},{user},{query},{status},{referer},{agent}>", "",
			"<10.0.0.1,joe,?x=1,200,https://ref/,agent>", []uint32{1}},
		{table, "", "", "/a|/b", nil},
		{table, "Host", "", "h|h", nil},
		{table, "{host}{path}", "n", "h/a|h/b", []uint32{5, 6}},
		{table, "1", "3", "h|h", []uint32{5, 6}},
		{bare, "2", "1", "x|y", []uint32{9, 9}},
	} {
		o := trace.Options{Key: c.key, SizeColumn: c.size, KeepKeys: true}
		got, err := trace.Read(strings.NewReader(c.in), o)
		if err != nil {
			t.Errorf("%q, %q: %v", c.key, c.size, err)
			continue
		}
		if keys := strings.Join(names(got), "|"); keys != c.want || !slices.Equal(got.Sizes, c.sizes) {
			t.Errorf("%q, %q: got %q, %v, want %q, %v", c.key, c.size, keys, got.Sizes, c.want, c.sizes)
		}
	}
	for _, c := range []struct{ in, key, size, says string }{
		{log, "{nope}", "", `"nope": one of host, client, user, method, url`},
		{log, "", "bytes", "a size column is for CSV"},
		{table, "nope", "", `"nope": one of host, path, n`},
		{table, "", "nope", `size column "nope": one of host, path, n`},
		{"1\n2\n", "x", "", "the format is lirs, which has no fields to name"},
	} {
		o := trace.Options{Key: c.key, SizeColumn: c.size}
		_, err := trace.Read(strings.NewReader(c.in), o)
		if !errors.Is(err, trace.ErrKey) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q, %q: got %v, want %q", c.key, c.size, err, c.says)
		}
	}
}

func TestWhatIsNotReadIsCountedApart(t *testing.T) {
	log := lines(common, strings.Replace(common, "GET", "POST", 1),
		strings.Replace(common, "GET", "OPTIONS", 1), strings.Replace(common, "GET", "HEAD", 1))
	at := `1.1 [0 a:1] `
	redis := lines(at+`"get" "a"`, at+`"setex" "a" "5" "x"`, at+`"ping"`, at+`"EXISTS" "a" "b"`)
	for _, c := range []struct {
		in                    string
		keys, writes, skipped int
	}{{log, 2, 1, 1}, {redis, 3, 1, 1}} {
		got, err := trace.Read(strings.NewReader(c.in), trace.Options{})
		if err != nil || len(got.Keys) != c.keys || got.Writes != c.writes || got.Skipped != c.skipped {
			t.Errorf("%.40q: got %+v, %v, want %d, %d, %d", c.in, got, err, c.keys, c.writes, c.skipped)
		}
	}
}

func TestSizesOfALogAreThoseOfWholeAnswers(t *testing.T) {
	with := func(method, answer string) string {
		return `c - - [t] "` + method + ` /a HTTP/1.1" ` + answer
	}
	in := lines(with("GET", "304 0"), with("HEAD", "200 300"), with("GET", "200 5000"),
		with("GET", "206 100"), with("GET", "304 -"), with("GET", "200 6000"))
	got, err := trace.Read(strings.NewReader(in), trace.Options{})
	want := []uint32{0, 300, 5000, 5000, 5000, 6000}
	if err != nil || !slices.Equal(got.Sizes, want) || got.Footprint() != 6000 {
		t.Errorf("got %v, %v, want %v", got.Sizes, err, want)
	}
}

func TestTheLimitCutsATrace(t *testing.T) {
	for _, c := range []struct {
		in   string
		keys int
		cut  bool
	}{
		{"a\nb\nc\n", 2, true}, {"a\nb\n", 2, false}, {"a\n", 1, false},
		{lines("0 9 0 0", "0 9 0 1"), 2, true}, {u32(1, 2, 3), 2, true},
	} {
		got, err := trace.Read(strings.NewReader(c.in), trace.Options{Limit: 2})
		if err != nil || len(got.Keys) != c.keys || got.Cut != c.cut {
			t.Errorf("%q: got %+v, %v, want %d keys, cut %v", c.in, got, err, c.keys, c.cut)
		}
	}
}

func TestWrittenTracesAreReadBack(t *testing.T) {
	keys := strings.Repeat(lines("b", "a", "key with spaces", "b"), 100)
	want, err := trace.Read(strings.NewReader(keys), trace.Options{KeepKeys: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range trace.WriteFormats() {
		for _, suffix := range []string{"", ".gz", ".zst"} {
			file := filepath.Join(t.TempDir(), "trace"+suffix)
			if err := trace.Create(file, want, format); err != nil {
				t.Fatal(err)
			}
			got, err := trace.Open(file, trace.Options{KeepKeys: true})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got.Keys, want.Keys) || got.Format != format ||
				(suffix == "") != (got.Compression == "") {
				t.Errorf("%s%s: got %s, %s, %d keys", format, suffix, got.Format, got.Compression,
					len(got.Keys))
			}
			if format == "text" && !slices.Equal(names(got), names(want)) {
				t.Errorf("names are %q", names(got)[:4])
			}
		}
	}
	if err := trace.Write(io.Discard, want, "csv"); err == nil {
		t.Error("csv: written")
	}
	nowhere := filepath.Join(t.TempDir(), "no", "where")
	if err := trace.Create(nowhere, want, "u32"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

func TestRealTraces(t *testing.T) {
	for name, want := range map[string]struct{ accesses, distinct int }{
		"lirs-loop": {505500, 1011}, "lirs-multi1": {15858, 2606}, "lirs-ps": {10448, 3083},
	} {
		got, err := trace.Open(filepath.Join("testdata", name+".u32.gz"), trace.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Format != "u32" || len(got.Keys) != want.accesses || got.Distinct != want.distinct {
			t.Errorf("%s: got %s, %d of %d, want %+v", name, got.Format, len(got.Keys), got.Distinct,
				want)
		}
	}
}

func TestFigures(t *testing.T) {
	in := lines("a", "b", "a", "c", "a", "b", "d", "d", "e")
	tr, err := trace.Read(strings.NewReader(in), trace.Options{KeepKeys: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []trace.Count{{0, 3}, {1, 2}, {3, 2}}
	if got := tr.Top(3); !slices.Equal(got, want) {
		t.Errorf("top: got %v, want %v", got, want)
	}
	if got := len(tr.Top(100)); got != 5 {
		t.Errorf("top 100: got %d, want 5", got)
	}
	if got := tr.Once(); got != 2 {
		t.Errorf("once: got %d, want 2", got)
	}
	if got := tr.Ceiling(); math.Abs(got-4.0/9) > 1e-12 {
		t.Errorf("ceiling: got %v, want 4/9", got)
	}
	for window, want := range map[int]float64{1: 1, 3: 7.0 / 3, 4: 3, 9: 5, 10: 0} {
		if got := tr.WorkingSet(window); math.Abs(got-want) > 1e-12 {
			t.Errorf("working set of %d: got %v, want %v", window, got, want)
		}
	}
}

func TestCreateFollowsLinksAndLeavesPipesAlone(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(real, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	tr := &trace.Trace{Keys: []uint32{0, 1}, Distinct: 2}
	if err := trace.Create(link, tr, "u32"); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is a link no more: %v, %v", info.Mode(), err)
	}
	if b, err := os.ReadFile(real); err != nil || len(b) != 8 {
		t.Errorf("what it leads to has %d bytes, %v; want 8", len(b), err)
	}
}

func TestAColumnByNumberIsNoName(t *testing.T) {
	in := "x,k1,2\ny,k2,9\nz,k1,5\n"
	got, err := trace.Read(strings.NewReader(in), trace.Options{Key: "2"})
	if err != nil || !slices.Equal(got.Keys, []uint32{0, 1, 0}) {
		t.Errorf("keys %v, %v; want 0 1 0 of the second column, and no header", got, err)
	}
}
