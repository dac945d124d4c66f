// sitemap_test.go reads sitemaps as they are, and as they should not be.

package sitemap_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/larder-go/larder/scrape/sitemap"
)

const (
	urlset = `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" ` +
		`xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">`
	index = `<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`
)

// pages is a sitemap of entries "address" or "address date".
func pages(entries ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + urlset)
	for _, e := range entries {
		address, date, _ := strings.Cut(e, " ")
		fmt.Fprintf(&b, "<url><loc>%s</loc>", address)
		if date != "" {
			fmt.Fprintf(&b, "<lastmod>%s</lastmod>", date)
		}
		b.WriteString("</url>\n")
	}
	return b.String() + "</urlset>"
}

// loc is an entry with just an address.
func loc(address string) string { return "<url><loc>" + address + "</loc></url>" }

// sitemaps is an index.
func sitemaps(entries ...string) string {
	text := strings.ReplaceAll(pages(entries...), "url>", "sitemap>")
	text = strings.Replace(text, urlset, index, 1)
	return strings.Replace(text, "</urlset>", "</sitemapindex>", 1)
}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

func addresses(entries []sitemap.Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, e.URL)
	}
	return strings.Join(all, " ")
}

func TestReadTakesWhatThereIs(t *testing.T) {
	long := "http://a/" + strings.Repeat("x", sitemap.MaxURL)
	for name, c := range map[string]struct {
		text, pages, sitemaps string
		bad                   int
	}{
		"sitemap": {pages("http://a/1", "https://a/2"), "http://a/1 https://a/2", "", 0},
		"index": {sitemaps("http://a/1.xml", "http://a/2.xml"), "",
			"http://a/1.xml http://a/2.xml", 0},
		"gzip":    {zipped(pages("http://a/1")), "http://a/1", "", 0},
		"list":    {"\ufeff http://a/1\r\n\nhttps://a/2", "http://a/1 https://a/2", "", 0},
		"list.gz": {zipped("http://a/1\n"), "http://a/1", "", 0},
		"entity":  {pages("http://a/?x=1&amp;y=2"), "http://a/?x=1&y=2", "", 0},
		"CDATA":   {pages("<![CDATA[http://a/?x&y]]>"), "http://a/?x&y", "", 0},
		"space": {"\ufeff\n" + urlset + loc("\n http://a/1\t") + "</urlset>",
			"http://a/1", "", 0},
		"comment": {urlset + loc("http://a<!-- - -->/1") + "</urlset>", "http://a/1", "", 0},
		"empty":   {pages(), "", "", 0},
		"no loc":  {urlset + "<url><lastmod>2026</lastmod></url></urlset>", "", "", 1},
		"long":    {pages(long, "http://a/1"), "http://a/1", "", 1},
		"prefixed": {`<s:urlset xmlns:s="x"><s:url><s:loc>http://a/</s:loc></s:url></s:urlset>`,
			"http://a/", "", 0},
		"bare": {"<urlset>" + loc("http://a/1") + "</urlset> behind", "http://a/1", "", 0},
		"unknown": {urlset + "<page><loc>http://a/0</loc></page>" + loc("http://a/1") + "</urlset>",
			"http://a/1", "", 0},
		"picture": {urlset + "<url><loc>http://a/1</loc><image:image><image:loc>http://a/i.png" +
			"</image:loc></image:image></url></urlset>", "http://a/1", "", 0},
	} {
		got, err := sitemap.Read(iotest.HalfReader(strings.NewReader(c.text)))
		if err != nil || addresses(got.Pages) != c.pages || addresses(got.Sitemaps) != c.sitemaps ||
			got.Bad != c.bad {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, c)
		}
	}
}

func TestReadKnowsTheDatesOfTheProtocol(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026":                        time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		"2026-11":                     time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC),
		"2026-11-20":                  time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		"2026-11-20T10:11Z":           time.Date(2026, 11, 20, 10, 11, 0, 0, time.UTC),
		"2026-11-20T10:11:12+02:00":   time.Date(2026, 11, 20, 8, 11, 12, 0, time.UTC),
		"2026-11-20T10:11:12.250000Z": time.Date(2026, 11, 20, 10, 11, 12, 250e6, time.UTC),
		"yesterday":                   {},
		"2026-13-01":                  {},
	} {
		got, err := sitemap.Read(strings.NewReader(pages("http://a/ " + text)))
		if err != nil || !got.Pages[0].Modified.Equal(want) {
			t.Errorf("%s: got %+v, %v, want %v", text, got, err, want)
		}
	}
}

func TestReadKeepsWhatCameBeforeTheDamage(t *testing.T) {
	whole := pages("http://a/1", "http://a/2")
	begun := urlset + "<url><loc>http://a/1</loc></url>"
	deep := strings.Repeat("<x>", 1<<16)
	for name, c := range map[string]struct {
		text string
		want error
		kept int
	}{
		"nothing":        {"", sitemap.ErrFormat, 0},
		"space":          {strings.Repeat(" ", 1<<20), sitemap.ErrTooLarge, 0},
		"cut":            {whole[:len(whole)-30], sitemap.ErrFormat, 1},
		"cut gzip":       {zipped(strings.Repeat(whole, 1))[:60], sitemap.ErrFormat, 0},
		"no gzip":        {"\x1f\x8b and so on", sitemap.ErrFormat, 0},
		"HTML":           {"<!DOCTYPE html><html><body>404", sitemap.ErrFormat, 0},
		"a feed":         {`<rss version="2.0"></rss>`, sitemap.ErrFormat, 0},
		"other text":     {"http://a/1\nnot found\n", sitemap.ErrFormat, 1},
		"unclosed":       {begun + "<url></urlset>", sitemap.ErrFormat, 1},
		"unknown entity": {begun + "&lol;", sitemap.ErrFormat, 1},
		"entity bomb": {`<!DOCTYPE u [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>` + urlset +
			"<url><loc>&b;</loc></url></urlset>", sitemap.ErrFormat, 0},
		"foreign file": {`<!DOCTYPE u [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + urlset +
			"<url><loc>&a;</loc></url></urlset>", sitemap.ErrFormat, 0},
		"deep":           {begun + deep, sitemap.ErrFormat, 1},
		"long text":      {begun + "<loc>" + strings.Repeat("x", 1<<20), sitemap.ErrTooLarge, 1},
		"long comment":   {begun + "<!--" + strings.Repeat("x", 1<<20), sitemap.ErrTooLarge, 1},
		"long attribute": {begun + `<url a="` + strings.Repeat("x", 1<<20), sitemap.ErrTooLarge, 1},
		"long name":      {begun + "<" + strings.Repeat("x", 1<<20), sitemap.ErrTooLarge, 1},
		"long line":      {"http://a/1\n" + strings.Repeat("x", 1<<20), sitemap.ErrTooLarge, 1},
		"encoding":       {`<?xml version="1.0" encoding="EBCDIC"?>`, sitemap.ErrFormat, 0},
		"no UTF-8":       {begun + "\xff\xfe", sitemap.ErrFormat, 1},
	} {
		got, err := sitemap.Read(strings.NewReader(c.text))
		if !errors.Is(err, c.want) || len(got.Pages) != c.kept {
			t.Errorf("%s: got %d pages, %v, want %d, %v", name, len(got.Pages), err, c.kept, c.want)
		}
		if err != nil && len(err.Error()) > 300 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	broken := io.MultiReader(strings.NewReader(begun), iotest.ErrReader(io.ErrClosedPipe))
	if got, err := sitemap.Read(broken); !errors.Is(err, io.ErrClosedPipe) || len(got.Pages) != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadStopsAtTheBoundsOfTheProtocol(t *testing.T) {
	many := strings.Repeat("http://a/1\n", sitemap.MaxEntries)
	if got, err := sitemap.Read(strings.NewReader(many)); err != nil || len(got.Pages) != 50_000 {
		t.Errorf("got %d pages, %v", len(got.Pages), err)
	}
	got, err := sitemap.Read(strings.NewReader(many + "http://a/2"))
	if !errors.Is(err, sitemap.ErrTooLarge) || len(got.Pages) != 50_000 {
		t.Errorf("got %d pages, %v", len(got.Pages), err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(pages("http://a/1 2026-01-01", "http://a/?x&amp;y")))
	f.Add([]byte(sitemaps("http://a/1.xml")))
	f.Add([]byte(zipped("http://a/1\n")))
	f.Add([]byte(`<!DOCTYPE u [<!ENTITY a "x">]><urlset>&a;`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := sitemap.Read(bytes.NewReader(text))
		for _, e := range append(got.Pages, got.Sitemaps...) {
			if e.URL == "" || len(e.URL) > sitemap.MaxURL || strings.TrimSpace(e.URL) != e.URL {
				t.Fatalf("read the address %q", e.URL)
			}
		}
		ours := errors.Is(err, sitemap.ErrFormat) || errors.Is(err, sitemap.ErrTooLarge)
		if err != nil && !ours && text[0] != 0x1f {
			t.Fatalf("no error of this package: %v", err)
		}
	})
}

// site opens files by address.
type site map[string]string

func (s site) open(_ context.Context, url string) (io.ReadCloser, error) {
	text, ok := s[url]
	if !ok {
		return nil, errors.New("404")
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

func TestCollectFollowsIndexesNewestFirst(t *testing.T) {
	s := site{
		"http://a/index.xml": sitemaps("http://a/old.xml 2020", "http://a/new.xml 2026",
			"http://a/index.xml", "http://b/other.xml", "http://a/gone.xml"),
		"http://a/old.xml": pages("http://a/1 2020-05-01", "http://a/none", "http://b/2", "/rel"),
		"http://a/new.xml": pages("http://a/3 2026-05-01", "http://A:80/4 2026-06-01",
			"https://a/1 2026-01-01", "http://a/3 2019"),
	}
	var failed []string
	got, err := sitemap.Collect(t.Context(), s.open, []string{"http://a/index.xml"},
		sitemap.Options{OnError: func(url string, err error) { failed = append(failed, url) }})
	if err != nil {
		t.Fatal(err)
	}
	want := "http://A:80/4 http://a/3 https://a/1 http://a/1 http://a/none"
	if addresses(got.Pages) != want || got.Files != 3 || got.Failed != 1 || got.Foreign != 2 ||
		got.Bad != 1 || got.Cut || strings.Join(failed, " ") != "http://a/gone.xml" {
		t.Errorf("got %+v, failed %q, want %s", got, failed, want)
	}
}

func TestCollectWantsPagesOfTheHost(t *testing.T) {
	s := site{"https://cdn/map.xml": pages("https://a/1", "https://cdn/2")}
	got, _ := sitemap.Collect(t.Context(), s.open, []string{"https://cdn/map.xml"},
		sitemap.Options{Host: "A"})
	if addresses(got.Pages) != "https://a/1" || got.Foreign != 1 {
		t.Errorf("got %+v", got)
	}
}

func TestCollectKeepsItsBounds(t *testing.T) {
	s := site{}
	all := make([]string, 20)
	for i := range all {
		all[i] = fmt.Sprintf("http://a/%d.xml", i)
		s[all[i]] = pages(fmt.Sprintf("http://a/%d", i), fmt.Sprintf("http://a/%d/", i))
	}
	s["http://a/i.xml"] = sitemaps(all...)
	root := []string{"http://a/i.xml"}
	got, _ := sitemap.Collect(t.Context(), s.open, root, sitemap.Options{MaxFiles: 6})
	if got.Files != 6 || len(got.Pages) != 10 || !got.Cut {
		t.Errorf("of 6 files: got %+v", got)
	}
	got, _ = sitemap.Collect(t.Context(), s.open, root, sitemap.Options{MaxPages: 5})
	if len(got.Pages) != 5 || !got.Cut {
		t.Errorf("of 5 pages: got %+v", got)
	}
	got, _ = sitemap.Collect(t.Context(), s.open, root, sitemap.Options{})
	if got.Files != 21 || len(got.Pages) != 40 || got.Cut {
		t.Errorf("without bounds: got %+v", got)
	}
}

func TestCollectLeavesEndlessIndexes(t *testing.T) {
	opened := 0
	open := func(_ context.Context, url string) (io.ReadCloser, error) {
		opened++
		return io.NopCloser(strings.NewReader(sitemaps(url + "x"))), nil
	}
	got, err := sitemap.Collect(t.Context(), open, []string{"http://a/x"}, sitemap.Options{})
	if err != nil || opened != 4 || got.Failed != 1 {
		t.Errorf("opened %d files, got %+v, %v", opened, got, err)
	}
}

func TestCollectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	open := func(ctx context.Context, url string) (io.ReadCloser, error) {
		cancel()
		return nil, ctx.Err()
	}
	got, err := sitemap.Collect(ctx, open, []string{"http://a/1", "http://a/2"}, sitemap.Options{})
	if !errors.Is(err, context.Canceled) || got.Failed != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func ExampleCollect() {
	open := site{"https://example.com/sitemap.xml": pages("https://example.com/old 2025-01-01",
		"https://example.com/new 2026-01-01")}.open
	found, err := sitemap.Collect(context.Background(), open,
		[]string{"https://example.com/sitemap.xml"}, sitemap.Options{})
	if err != nil {
		panic(err)
	}
	for _, page := range found.Pages {
		fmt.Println(page.URL)
	}
	// Output:
	// https://example.com/new
	// https://example.com/old
}

func BenchmarkRead(b *testing.B) {
	entries := make([]string, 10_000)
	for i := range entries {
		entries[i] = fmt.Sprintf("https://example.com/articles/%d 2026-11-20T10:11:12Z", i)
	}
	text := pages(entries...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sitemap.Read(strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
}
