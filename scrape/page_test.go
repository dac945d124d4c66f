// page_test.go tests what is read from a page: encodings and selectors.

package scrape_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/larder-go/larder/scrape"
)

const koi = `<meta http-equiv=Content-Type content="text/html; charset=koi8-r">`

func TestUTF8FindsTheEncoding(t *testing.T) {
	for _, c := range []struct{ name, contentType, body, want string }{
		{"declared", "text/html; charset=UTF-8", "é", "é"},
		{"quoted", `text/html; charset="utf8"`, "é", "é"},
		{"byte order mark", "text/html; charset=iso-8859-1", "\xef\xbb\xbfé", "é"},
		{"a mark and a declaration", "text/html; charset=utf-8", "\ufeffé", "é"},
		{"no declaration", "text/html", "<p>é", "<p>é"},
		{"far behind plain ASCII", "", string(bytes.Repeat([]byte(" "), 2000)) + "é",
			string(bytes.Repeat([]byte(" "), 2000)) + "é"},
		{"invalid bytes", "text/html; charset=utf-8", "a\xffb", "a\ufffdb"},
		{"windows-1252", "text/html; charset=windows-1252", "\x93\x80\x94", "“€”"},
		{"latin-1 is windows-1252", "text/html; charset=ISO-8859-1", "\x80\xe9", "€é"},
		{"a guess", "text/html", "caf\xe9", "café"},
		{"shift_jis", "text/html; charset=Shift_JIS", "\x93\xfa\x96\x7b", "日本"},
		{"euc-jp by meta", "text/html", "<meta charset=euc-jp>\xc6\xfc", "<meta charset=euc-jp>日"},
		{"iso-2022-jp", "text/html; charset=iso-2022-jp", "\x1b$BF|\x1b(B", "日"},
		{"gb18030", "text/html; charset=gb2312", "\xd6\xd0", "中"},
		{"big5", "text/html; charset=big5", "\xa4\xa4", "中"},
		{"koi8-r by http-equiv", "", koi + "\xf0", koi + "П"},
		{"utf-16 by its mark", "text/html; charset=utf-8", "\xff\xfea\x00\xac\x20", "a€"},
		{"utf-16 big endian", "", "\xfe\xff\x00a\x20\xac", "a€"},
		{"an unknown name", "text/html; charset=klingon", "é", "é"},
		{"empty", "", "", ""},
	} {
		p := &scrape.Page{Body: []byte(c.body), Header: http.Header{"Content-Type": {c.contentType}}}
		got := p.UTF8()
		if string(got) != c.want || !utf8.Valid(got) {
			t.Errorf("%s: UTF8() = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestUTF8CopiesNothingItNeedNot(t *testing.T) {
	p := pageOf("<h1>é</h1>")
	if got := p.UTF8(); &got[0] != &p.Body[0] {
		t.Error("a body in UTF-8 is copied")
	}
}

func TestSelect(t *testing.T) {
	p := pageOf(`<ul><li class=a>one <b>two</b><li>three<li class=a><a href="/x">four</a></ul>`)
	for selector, want := range map[string][]string{
		"li.a": {"one two", "four"}, "a, b": {"two", "four"}, "table": nil,
	} {
		if got, err := scrape.Select(p, selector); err != nil || !slices.Equal(got, want) {
			t.Errorf("Select(%q) = %q, %v, want %q", selector, got, err, want)
		}
	}
	got, err := scrape.SelectAttr(p, "li, a", "href")
	if err != nil || !slices.Equal(got, []string{"/x"}) {
		t.Errorf("SelectAttr = %q, %v, want /x", got, err)
	}
	if _, err := scrape.Select(p, "li["); err == nil {
		t.Error("a broken selector is no error")
	}
}
