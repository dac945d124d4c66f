// fuzz_test.go feeds garbage to the readers.

package trace_test

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/trace"
)

// seeds are a few lines of every format.
func seeds(f *testing.F) {
	for _, s := range []string{
		"a\nb\n", "1\n2\n*\n", "5 3 0 0\n4 2 0 1\n", "key,size\na,1\n\"b,\"\"c\",2\n",
		lines(common, combined), "h:80 " + lines(combined), u32(1, 2, 3), u64(1, 2, 3),
		oracle(1, 2, 3, -1), gzipped("a\nb\n"), zstded("a\nb\n"), gzipped("a\nb\n")[:20],
		`1.1 [0 a:1] "get" "\x41\"\\"` + "\n", "OK\n", "\ufeffa", "\x00\x01", "",
	} {
		f.Add([]byte(s))
	}
}

// checkTrace fails if a trace contradicts itself.
func checkTrace(t *testing.T, tr *trace.Trace) {
	t.Helper()
	if len(tr.Keys) == 0 || tr.Sizes != nil && len(tr.Sizes) != len(tr.Keys) {
		t.Fatalf("%d keys, %d sizes", len(tr.Keys), len(tr.Sizes))
	}
	if highest := slices.Max(tr.Keys); int(highest)+1 != tr.Distinct {
		t.Fatalf("highest key %d of %d", highest, tr.Distinct)
	}
	if tr.Bad.Count < len(tr.Bad.First) {
		t.Fatalf("%+v", tr.Bad)
	}
}

// limit keeps a few bytes of ARC from becoming many accesses.
const limit = 10_000

func FuzzRead(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		o := trace.Options{KeepKeys: true, Limit: limit}
		tr, err := trace.Read(bytes.NewReader(in), o)
		if err != nil {
			return
		}
		checkTrace(t, tr)
		for _, format := range trace.WriteFormats() {
			if err := trace.Write(io.Discard, tr, format); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzReadAsEveryFormat(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		for _, format := range trace.Formats() {
			o := trace.Options{Format: format.Name, Limit: limit, KeepKeys: true}
			tr, err := trace.Read(bytes.NewReader(in), o)
			if err == nil {
				checkTrace(t, tr)
			}
		}
	})
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"", "{host}{path}", "key", "1", "<{query}>", "{", "}", "{}"} {
		f.Add(key, common)
		f.Add(key, "key,size\na,1")
	}
	f.Fuzz(func(t *testing.T, key, line string) {
		o := trace.Options{Key: key, Limit: limit}
		tr, err := trace.Read(strings.NewReader(line+"\n"), o)
		if err == nil {
			checkTrace(t, tr)
		}
	})
}
