// fuzz_internal_test.go throws what strangers send at the parsers.

package httpcache

import (
	"bytes"
	"encoding/binary"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func FuzzCacheControl(f *testing.F) {
	for _, s := range []string{
		"", "max-age=10", `no-cache="a,b", max-age="5"`, `x="\"`, "max-stale, min-fresh=3",
		"max-age=99999999999999999999", ",,,=,\"", "no-store\tprivate",
	} {
		f.Add(s, "max-age=1")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		d := parseDirectives([]string{a, b})
		for _, n := range []time.Duration{
			d.maxAge, d.sMaxAge, d.minFresh, d.maxStale, d.staleIfError,
		} {
			if n < absent || n > maxDelta {
				t.Fatalf("%q, %q: argument %d is out of range", a, b, n)
			}
		}
		alone := parseDirectives([]string{a})
		if !alone.has(noStore) && d != parseDirectives([]string{a + "," + b}) {
			t.Fatalf("%q, %q: two lines differ from one", a, b)
		}
		if d.flags&alone.flags != alone.flags {
			t.Fatalf("%q, %q: a second line took flags away", a, b)
		}
		if alone.maxAge != absent && d.maxAge > alone.maxAge {
			t.Fatalf("%q, %q: a second line made max-age longer", a, b)
		}
	})
}

func FuzzVary(f *testing.F) {
	f.Add("Accept, accept-encoding", "a, b", "a,b", false)
	f.Add("*", "", "", false)
	f.Add("X,,Y ,", `"a,b`, `\"`, true)
	f.Fuzz(func(t *testing.T, vary, x, y string, two bool) {
		names := varyNames([]string{vary})
		if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Fatalf("varyNames(%q) = %q, not a sorted set", vary, names)
		}
		if again := varyNames([]string{strings.Join(names, " , ")}); !slices.Equal(again, names) {
			t.Fatalf("varyNames(%q) = %q, then %q", vary, names, again)
		}
		h, other := http.Header{}, http.Header{}
		for _, name := range append(names, "x") {
			h.Set(name, x)
			other.Set(name, " "+x+"\t")
			if two {
				h.Add(name, y)
				other.Add(name, y)
			}
		}
		if (rules{}).selectorOf(names, h) != (rules{}).selectorOf(names, other) {
			t.Fatalf("Vary %q: white space around %q selects", vary, x)
		}
		if len(names) > 0 && (rules{}).selectorOf(names, h) == (rules{}).selectorOf(names, nil) {
			t.Fatalf("Vary %q: %q looks like nothing", vary, x)
		}
	})
}

// sealed returns s with body as they lie in a store.
func sealed(s *stored, body string) []byte {
	value := append(appendEnvelope(nil, s), body...)
	seal(value, "k", int64(len(body)), 0)
	return value
}

// repaired makes the fixed part of value plausible, so that more than the checksum is tried.
func repaired(value []byte) []byte {
	if len(value) < fixedSize {
		return value
	}
	value = bytes.Clone(value)
	copy(value, magic)
	n := uint32(len(value))
	end := fixedSize + binary.LittleEndian.Uint32(value[offLength:])%(n-fixedSize+1)
	binary.LittleEndian.PutUint32(value[offLength:], end)
	seal(value, "k", int64(n-end), 0)
	return value
}

func FuzzEnvelope(f *testing.F) {
	f.Add(sealed(response(200, "A: 1", "A: 2", "Vary: X", `Etag: "a"`), "body"), true)
	f.Add(sealed(response(404), ""), true)
	f.Add([]byte(magic), false)
	f.Fuzz(func(t *testing.T, value []byte, repair bool) {
		if repair {
			value = repaired(value)
		}
		s, body, err := parseEnvelope("k", value)
		if err != nil {
			return
		}
		if !bytes.HasSuffix(value, body) {
			t.Fatal("the body is not the end of the value")
		}
		again, _, err := parseEnvelope("k", sealed(s, string(body)))
		if err != nil {
			t.Fatalf("parsed, written and not parsed: %v", err)
		}
		again.bodyID, again.length = s.bodyID, s.length
		if !reflect.DeepEqual(s, again) {
			t.Fatalf("%+v became %+v", s, again)
		}
	})
}
