// titles_test.go holds the headings to a table, and the scanner to the tokenizer of x/net/html.

package scrape_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"

	"github.com/larder-go/larder/scrape"
)

func pageOf(text string) *scrape.Page {
	return &scrape.Page{
		Body:   []byte(text),
		Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}},
	}
}

func TestTitlesAgreesWithTheTable(t *testing.T) {
	data, err := os.ReadFile("testdata/titles.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Split(string(data), "\n== ")[1:] {
		name, rest, _ := strings.Cut(text, "\n")
		page, want, _ := strings.Cut(rest, "---\n")
		t.Run(name, func(t *testing.T) {
			if got := outlineOf(page); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// outlineOf writes what Titles finds as the table does.
func outlineOf(page string) string {
	title, headings := scrape.Titles(pageOf(page))
	var b strings.Builder
	if title != "" {
		fmt.Fprintf(&b, "0 %s\n", title)
	}
	for _, h := range headings {
		fmt.Fprintf(&b, "%d %s\n", h.Level, h.Text)
	}
	return b.String()
}

func TestTitlesReadsOtherEncodings(t *testing.T) {
	p := &scrape.Page{Body: []byte("<meta charset=windows-1251><h1>\xcf\xf0\xe8\xe2\xe5\xf2</h1>")}
	if _, got := scrape.Titles(p); len(got) != 1 || got[0].Text != "Привет" {
		t.Errorf("headings = %v, want Привет", got)
	}
}

func TestTitlesDropsWhatTurnsText(t *testing.T) {
	title, got := scrape.Titles(pageOf("<title>a&#x202E;b\u2069</title><h1>" + turning + "x\u200fy"))
	if title != "ab" || len(got) != 1 || got[0].Text != "x\u200fy" {
		t.Errorf("title = %q, headings = %+q, want ab and x\\u200fy", title,
			fmt.Sprint(got))
	}
}

// FuzzTitles compares Titles with a slow reading of the tokens of x/net/html, on pages without
// what the two are known to see differently.
func FuzzTitles(f *testing.F) {
	f.Add("<title>a&amp;b</title><h1 a='>' b=\">\" c=>x</h1><h2>y<h3>z</h3 x=1>")
	f.Add("<h1>a<!-- --!>b<!--->c<!-->d<? >e</ >f</>g</h1><h2>1<2</h2>")
	f.Add("<script><!--<script></script>--></script><h1>a</h1><style></styles></style><h2>b</h2>")
	f.Add("<noscript><h1>no</noscript><xmp><h2></xmp><h3/>x<plaintext><h1>no")
	f.Add("<h1 \"=\" =a='>'>x</h1><h2/a=/>y</h2 /><iframe></iframe/><h3>z")
	f.Fuzz(func(t *testing.T, page string) {
		p := pageOf(page)
		page = string(p.UTF8())
		_, headings := scrape.Titles(p)
		lower := strings.ToLower(page)
		for _, word := range []string{"svg", "math", "template"} {
			if strings.Contains(lower, "<"+word) {
				return
			}
		}
		got, want := fmt.Sprint(headings), fmt.Sprint(slowTitles(page))
		if got != want {
			t.Errorf("page %q\n got %s\nwant %s", page, got, want)
		}
	})
}

// slowTitles is Titles by the book: tokens first, then what stands between a heading and its end.
func slowTitles(page string) (found []scrape.Title) {
	z := html.NewTokenizer(strings.NewReader(page))
	level, blocks, raw := 0, 0, ""
	var text strings.Builder
	end := func() {
		if s := strings.Join(strings.FieldsFunc(text.String(), isGap), " "); s != "" && level > 0 {
			if level <= 3 {
				found = append(found, scrape.Title{Level: level, Text: dropControls(s)})
			}
		}
		level, blocks = 0, 0
		text.Reset()
	}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			end()
			return found
		}
		name, _ := z.TagName()
		word := string(bytes.ToLower(name))
		heading := len(word) == 2 && word[0] == 'h' && word[1] >= '1' && word[1] <= '6'
		switch {
		case kind == html.TextToken && raw == "":
			text.WriteString(dropControls(string(z.Text())))
		case kind == html.TextToken || kind == html.CommentToken || kind == html.DoctypeToken:
		case kind == html.EndTagToken && heading:
			end()
		case kind == html.EndTagToken && isBlock(word):
			text.WriteByte(' ')
			if blocks--; blocks < 0 {
				end()
			}
		case kind == html.EndTagToken:
		case heading:
			end()
			level = int(word[1] - '0')
		case isBlock(word):
			text.WriteByte(' ')
			blocks++
		case word == "br" || word == "hr":
			text.WriteByte(' ')
		}
		raw = ""
		if kind != html.TextToken && kind != html.EndTagToken && slices.Contains(rawElements, word) {
			raw = word
		}
	}
}

var rawElements = []string{"title", "script", "style", "textarea", "iframe", "noscript", "noembed",
	"noframes", "xmp", "plaintext"}

func isBlock(word string) bool {
	return slices.Contains(strings.Fields(`address article aside blockquote body center dd details
		dialog dir div dl dt fieldset figcaption figure footer form header hgroup html li main menu
		nav ol p pre search section summary table tbody td tfoot th thead tr ul`), word)
}

// turning are the characters that change the direction of text.
const turning = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

func isGap(r rune) bool { return unicode.IsSpace(r) }

func dropControls(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !unicode.IsSpace(r) || strings.ContainsRune(turning, r) {
			return -1
		}
		return r
	}, s)
}

func BenchmarkTitles(b *testing.B) {
	var t strings.Builder
	t.WriteString("<!doctype html><title>Page &amp; more</title><meta charset=utf-8>")
	for i := 0; t.Len() < 40<<10; i++ {
		fmt.Fprintf(&t, "<h2 class=\"s\">part <em>number</em> %d</h2>\n", i)
		for range 3 {
			t.WriteString(`<p class="t">` + strings.Repeat("some word ", 40) +
				`<a href="/p/1">more</a><br><img src="/i/1.png" alt="picture"></p>`)
		}
	}
	p := pageOf(t.String())
	b.SetBytes(int64(len(p.Body)))
	for b.Loop() {
		scrape.Titles(p)
	}
}
