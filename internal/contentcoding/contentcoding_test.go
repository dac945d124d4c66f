// contentcoding_test.go tests what is negotiated and kept, by tables and by laws.

package contentcoding_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/internal/contentcoding"
)

var offered = []string{"zstd", "br", "gzip"}

func TestChooseFollowsTheField(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{""}, ""},
		{[]string{"gzip, deflate, br, zstd"}, "zstd"},
		{[]string{"gzip, deflate, br"}, "br"},
		{[]string{"gzip"}, "gzip"},
		{[]string{"GZip"}, "gzip"},
		{[]string{"x-gzip"}, "gzip"},
		{[]string{"deflate"}, ""},
		{[]string{"deflate", " gzip "}, "gzip"},
		{[]string{"gzip;q=1.0, br;q=0.5"}, "gzip"},
		{[]string{"gzip;q=0.5, br;q=0.51"}, "br"},
		{[]string{"gzip ; Q=0.5 ,\tbr ;\tq=0.499"}, "gzip"},
		{[]string{"*"}, "zstd"},
		{[]string{"*;q=0.1, zstd;q=0"}, "br"},
		{[]string{"br;q=0.9, *;q=0.1"}, "br"},
		{[]string{"*;q=0"}, ""},
		{[]string{"gzip, *;q=0"}, "gzip"},
		{[]string{"gzip;q=0"}, ""},
		{[]string{"gzip;q=0, gzip"}, ""},
		{[]string{"identity"}, ""},
		{[]string{"identity;q=0"}, ""},
		{[]string{"identity;q=0, gzip;q=0.1"}, "gzip"},
		{[]string{"identity, gzip;q=0.5"}, ""},
		{[]string{"identity, gzip"}, "gzip"},
		{[]string{"identity;q=0.5, gzip;q=0.6, br;q=0.4"}, "gzip"},
		{[]string{"identity;q=0.5, *;q=0.4"}, ""},
		{[]string{"gzip;q=2"}, ""},
		{[]string{"gzip;q=1.001"}, ""},
		{[]string{"gzip;q=1.000"}, "gzip"},
		{[]string{"gzip;q=0.0001"}, ""},
		{[]string{"gzip;q=.5"}, ""},
		{[]string{"gzip;q=1,br;q=1."}, "br"},
		{[]string{"gzip;q="}, ""},
		{[]string{"gzip;q=0.5;q=0"}, "gzip"},
		{[]string{"gzip;level=9"}, "gzip"},
		{[]string{", ,gzip,,"}, "gzip"},
		{[]string{"gzip" + strings.Repeat(" ", 2000)}, ""},
		{[]string{strings.Repeat("a,", 40) + "gzip"}, ""},
		{slices.Repeat([]string{"gzip"}, 40), ""},
	} {
		if got := contentcoding.Choose(c.lines, offered); got != c.want {
			t.Errorf("Choose(%.80q): got %q, want %q", c.lines, got, c.want)
		}
	}
}

func TestNormalIsOneFormForClientsThatAreServedAlike(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", "identity"},
		{"gzip, br", "br, gzip"},
		{"br,gzip", "br, gzip"},
		{"BR;q=0.9,gzip;q=0.8,compress", "br, gzip"},
		{"gzip, deflate, br, zstd", "zstd, br, gzip"},
		{"*", "zstd, br, gzip"},
		{"gzip;q=1, br;q=0.5", "gzip, br;q=0.9"},
		{"gzip;q=0.3, br;q=0.2, zstd;q=0.1", "gzip, br;q=0.9, zstd;q=0.8"},
		{"gzip, *;q=0.1", "gzip, zstd;q=0.9, br;q=0.9"},
		{"identity;q=0.5, gzip;q=0.6, br;q=0.4", "gzip"},
		{"gzip;q=0, identity;q=0", "identity"},
	} {
		if got := contentcoding.Normal([]string{c.line}, offered); got != c.want {
			t.Errorf("Normal(%q): got %q, want %q", c.line, got, c.want)
		}
	}
}

func TestChooseRefusesTooManyOffers(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nine codings were offered")
		}
	}()
	contentcoding.Choose([]string{"gzip"}, make([]string, 9))
}

func TestChooseDoesNotAllocate(t *testing.T) {
	lines := []string{"gzip;q=0.8, deflate, br;q=0.9, zstd, *;q=0.1"}
	if n := testing.AllocsPerRun(100, func() { contentcoding.Choose(lines, offered) }); n > 0 {
		t.Errorf("Choose allocates %v times", n)
	}
	contentType := "Application/Problem+JSON; charset=utf-8"
	if n := testing.AllocsPerRun(100, func() { contentcoding.Compressible(contentType) }); n > 0 {
		t.Errorf("Compressible allocates %v times", n)
	}
}

// FuzzNormal holds Normal to its promise: whichever codings there are in the end, it is served like
// the field that it was made of, and it is its own normal form.
func FuzzNormal(f *testing.F) {
	f.Add("gzip;q=0.5, br", "identity;q=0.7,*")
	f.Add("*;q=0,x-gzip", "")
	f.Add(strings.Repeat("gzip;q=0.3,", 31), "br;q=1.")
	f.Fuzz(func(t *testing.T, first, second string) {
		lines := []string{first, second}
		normal := contentcoding.Normal(lines, offered)
		if again := contentcoding.Normal([]string{normal}, offered); again != normal {
			t.Fatalf("Normal(%q) is %q, and that of it %q", lines, normal, again)
		}
		for set := range 1 << len(offered) {
			var there []string
			for i, coding := range offered {
				if set>>i&1 == 1 {
					there = append(there, coding)
				}
			}
			got := contentcoding.Choose([]string{normal}, there)
			if want := contentcoding.Choose(lines, there); got != want {
				t.Fatalf("of %v %q gets %q, its normal form %q gets %q", there, lines, want,
					normal, got)
			}
		}
	})
}

func TestCompressibleKnowsText(t *testing.T) {
	for contentType, want := range map[string]bool{
		"text/html": true, "TEXT/HTML; charset=utf-8": true, "text/plain ;x": true,
		"text/event-stream": false, "Text/Event-Stream;charset=utf-8": false,
		"application/json": true, "application/problem+json": true, "application/JSON": true,
		"application/atom+xml; type=feed": true, "image/svg+xml": true, "application/wasm": true,
		"text/javascript": true, "application/javascript": true, "font/ttf": true,
		"font/woff2": false, "font/woff": false, "image/png": false, "video/mp4": false,
		"application/zip": false, "application/octet-stream": false, "": false, "text": false,
		"text/": false, "application/gzip": false, "/json": false, ";": false, "+json": false,
	} {
		if got := contentcoding.Compressible(contentType); got != want {
			t.Errorf("Compressible(%q): got %v, want %v", contentType, got, want)
		}
	}
}

func TestWorthWantsAnEighthAndMoreThanHeaders(t *testing.T) {
	for _, c := range []struct {
		before, after int
		want          bool
	}{
		{0, 0, false}, {100, 0, false}, {1000, 872, true}, {1000, 873, false},
		{8000, 7000, true}, {8000, 7001, false}, {1000, 2000, false},
	} {
		if got := contentcoding.Worth(c.before, c.after); got != c.want {
			t.Errorf("Worth(%d, %d): got %v, want %v", c.before, c.after, got, c.want)
		}
	}
}

func TestVariantETagNamesTheForm(t *testing.T) {
	for _, c := range []struct{ etag, coding, want string }{
		{`"abc"`, "gzip", `"abc-gzip"`},
		{`"abc"`, "", `"abc"`},
		{`"abc"`, "identity", `"abc"`},
		{`""`, "br", `"-br"`},
		{`W/"abc"`, "gzip", `W/"abc"`},
		{`abc`, "gzip", `abc`},
		{`"`, "gzip", `"`},
		{``, "gzip", ``},
		{`"a-gzip"`, "gzip", `"a-gzip-gzip"`},
	} {
		if got := contentcoding.VariantETag(c.etag, c.coding); got != c.want {
			t.Errorf("VariantETag(%q, %q): got %q, want %q", c.etag, c.coding, got, c.want)
		}
	}
}

func TestOriginETagKnowsOurEndingsAlone(t *testing.T) {
	for _, c := range []struct{ etag, plain, coding string }{
		{`"abc-gzip"`, `"abc"`, "gzip"},
		{`"abc-zstd"`, `"abc"`, "zstd"},
		{`"-br"`, `""`, "br"},
		{`"gzip"`, `"gzip"`, ""},
		{`"abc-deflate"`, `"abc-deflate"`, ""},
		{`"abcbr"`, `"abcbr"`, ""},
		{`W/"abc-gzip"`, `W/"abc-gzip"`, ""},
		{`*`, `*`, ""},
		{``, ``, ""},
	} {
		plain, coding := contentcoding.OriginETag(c.etag)
		if plain != c.plain || coding != c.coding {
			t.Errorf("OriginETag(%q): got %q, %q, want %q, %q", c.etag, plain, coding, c.plain,
				c.coding)
		}
	}
}

func FuzzETag(f *testing.F) {
	f.Add("abc")
	f.Add("abc-gzip")
	f.Fuzz(func(t *testing.T, inside string) {
		etag := `"` + inside + `"`
		for _, coding := range offered {
			variant := contentcoding.VariantETag(etag, coding)
			plain, got := contentcoding.OriginETag(variant)
			if plain != etag || got != coding {
				t.Fatalf("%q in %s is %q, which is %q in %s", etag, coding, variant, plain, got)
			}
		}
	})
}

func BenchmarkChoose(b *testing.B) {
	lines := []string{"gzip, deflate, br, zstd"}
	b.ReportAllocs()
	for b.Loop() {
		contentcoding.Choose(lines, offered)
	}
}

func BenchmarkNormal(b *testing.B) {
	lines := []string{"gzip, deflate, br, zstd"}
	b.ReportAllocs()
	for b.Loop() {
		contentcoding.Normal(lines, offered)
	}
}
