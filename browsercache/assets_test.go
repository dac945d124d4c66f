// assets_test.go asks for files under their names of today, of yesterday, and under others.

package browsercache_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/larder-go/larder/browsercache"
)

// files makes a file system of names and texts.
func files(all fields) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range all {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func load(t testing.TB, from fs.FS, o browsercache.AssetOptions) *browsercache.Assets {
	t.Helper()
	a, err := browsercache.NewAssets(from, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

var printed = regexp.MustCompile(`^/assets/(.*/)?[^/]*\.[0-9a-f]{16}(\.\w+)?$`)

func TestAnAssetIsKeptForEverUnderTheNameOfItsContent(t *testing.T) {
	a := load(t, files(fields{"app.css": "p{}", "js/app.min.js": "1", "LICENSE": "MIT",
		"a b%?.txt": "odd", "favicon.ico": "\x00"}), browsercache.AssetOptions{})
	for name, kind := range (fields{
		"app.css": "text/css; charset=utf-8", "js/app.min.js": "text/javascript; charset=utf-8",
		"LICENSE": "text/plain; charset=utf-8", "a b%?.txt": "text/plain; charset=utf-8",
		"favicon.ico": "image/x-icon",
	}) {
		path := a.Path(name)
		got := serve(t, a, "GET", path, nil)
		h := got.Header
		if got.Status != 200 || h.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
			h.Get("Content-Type") != kind || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %+v", path, got)
		}
		if name != "a b%?.txt" && !printed.MatchString(path) {
			t.Errorf("%s is at %s", name, path)
		}
		again := serve(t, a, "GET", path, fields{"If-None-Match": h.Get("ETag")})
		if again.Status != 304 || again.Header.Get("Cache-Control") != h.Get("Cache-Control") {
			t.Errorf("%s again: %+v", path, again)
		}
	}
}

func TestThePlainNameIsAskedForEachTime(t *testing.T) {
	a := load(t, files(fields{"js/app.js": "1"}), browsercache.AssetOptions{Prefix: "/static/v/"})
	got := serve(t, a, "GET", "/static/v/js/app.js", nil)
	if got.Status != 200 || got.Body != "1" || got.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("%+v", got)
	}
	again := serve(t, a, "GET", "/static/v/js/app.js",
		fields{"If-None-Match": got.Header.Get("ETag")})
	if again.Status != 304 || again.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("again: %+v", again)
	}
}

func TestAnotherFingerprintLeadsToTodays(t *testing.T) {
	a := load(t, files(fields{"js/app.js": "1", "LICENSE": "MIT"}), browsercache.AssetOptions{})
	for old, name := range (fields{
		"/assets/js/app.0123456789abcdef.js": "js/app.js",
		"/assets/LICENSE.0123456789abcdef":   "LICENSE",
	}) {
		got := serve(t, a, "GET", old, nil)
		if got.Status != 302 || got.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v", old, got)
		}
		req := httptest.NewRequest("GET", old, nil)
		to, err := req.URL.Parse(got.Header.Get("Location"))
		if err != nil || to.Path != a.Path(name) {
			t.Errorf("%s leads to %v, %v, want %s", old, to, err, a.Path(name))
		}
	}
}

func TestNothingElseIsServed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range (fields{"secret": "secret", "www/app.css": "p{}", "www/.env": "secret",
		"www/.git/config": "secret", "www/sub/x.txt": "x"}) {
		write(t, filepath.Join(dir, name), text)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "www",
		"link")); err != nil {
		t.Fatal(err)
	}
	a := load(t, os.DirFS(filepath.Join(dir, "www")), browsercache.AssetOptions{})
	for _, path := range []string{
		"/assets/", "/assets", "/", "/assets/sub", "/assets/sub/", "/assets/../secret",
		"/assets/%2e%2e/secret", "/assets/..%2fsecret", "/assets/..%5csecret", `/assets/..\secret`,
		"/assets//app.css", "/assets/./app.css", "/assets/app.css%00", "/assets/app.css/",
		"/assets/sub/../app.css", "/assets/.env", "/assets/.git/config", "/assets/link",
		"/assets/app.0123456789abcde.css", "/assets/none.0123456789abcdef.css",
		"/assets/.0123456789abcdef",
		"/assets/secret.0123456789abcdef", "/assets/../secret.0123456789abcdef",
		"/assets/" + strings.Repeat("a", 10_000), "/assetsapp.css",
	} {
		r := httptest.NewRequest("GET", "http://x/", nil)
		r.URL.Path = unescape(path)
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		if w.Code != 404 || w.Header().Get("Cache-Control") != "no-store" ||
			strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %q %q", path, w.Code, w.Header(), w.Body)
		}
	}
	if got := serve(t, a, "POST", a.Path("app.css"), nil); got.Status != 405 ||
		got.Header.Get("Allow") == "" {
		t.Errorf("POST: %+v", got)
	}
}

// unescape is what net/http does to a path.
func unescape(path string) string {
	for from, to := range map[string]string{"%2e": ".", "%2f": "/", "%5c": `\`, "%00": "\x00"} {
		path = strings.ReplaceAll(path, from, to)
	}
	return path
}

func write(t testing.TB, name, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(name), 0o755)
	if err == nil {
		err = os.WriteFile(name, []byte(text), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAMissingAssetIsNamedInTime(t *testing.T) {
	a := load(t, files(fields{"app.css": "p{}"}), browsercache.AssetOptions{})
	if _, err := a.Find("ap.css"); !errors.Is(err, browsercache.ErrNoAsset) {
		t.Errorf("error %v", err)
	}
	if got := a.Path("ap.css"); got != "/assets/ap.css" {
		t.Errorf("path %q", got)
	}
	page := template.Must(template.New("").Funcs(a.Funcs()).Parse(
		`<link href="{{ asset "app.css" }}">{{ asset . }}`))
	var b strings.Builder
	err := page.Execute(&b, "ap.css")
	if !errors.Is(err, browsercache.ErrNoAsset) || !strings.Contains(b.String(),
		a.Path("app.css")) {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestStyleSheetsReferToFingerprints(t *testing.T) {
	all := fields{"css/base.css": "b{}", "img/a.png": "A", "img/b c.png": "B", "f.woff2": "F",
		"a.png": "no"}
	for _, c := range []struct{ css, file, leads string }{
		{`@import "FILE";`, "base.css", "css/base.css"},
		{`@IMPORT'FILE' screen;`, "base.css", "css/base.css"},
		{`@import /* so */ "FILE"`, "base.css", "css/base.css"},
		{`@import url( 'FILE' ) print;`, "base.css", "css/base.css"},
		{`p { background: URL(FILE) }`, "../img/a.png", "img/a.png"},
		{`url("FILE")`, "./../img/a.png", "img/a.png"},
		{`a{b:url( FILE )}`, "/assets/img/a.png", "img/a.png"},
		{`url("FILE?#iefix"), url(x)`, "../f.woff2", "f.woff2"},
		{`url(FILE#x)`, "/assets/f.woff2", "f.woff2"},
		{`url(FILE?v=1)`, "../f.woff2", "f.woff2"},
		{`url("FILE")`, "../img/b c.png", "img/b c.png"},
		{`url(FILE)`, "../img/b%20c.png", "img/b c.png"},
		{`a{} \url(x) url(FILE)`, "../img/a.png", "img/a.png"},
		{`"\"" url(FILE)`, "../img/a.png", "img/a.png"},
		{"\"open\n url(FILE)", "../img/a.png", "img/a.png"},
	} {
		css := strings.ReplaceAll(c.css, "FILE", c.file)
		all["css/app.css"] = css
		a := load(t, files(all), browsercache.AssetOptions{})
		today := path.Base(a.Path(c.leads))
		if strings.Contains(c.file, " ") { // written without an escape
			today = strings.ReplaceAll(today, "%20", " ")
		}
		want := strings.ReplaceAll(css, path.Base(c.file), today)
		got := serve(t, a, "GET", a.Path("css/app.css"), nil).Body
		if got != want || got == css {
			t.Errorf("%s became %s, want %s", css, got, want)
		}
	}
}

func TestWhatIsNoReferenceStaysInAStyleSheet(t *testing.T) {
	for _, css := range []string{
		`/* url(a.png) */`, `p { content: "url(a.png)" }`, `url(data:image/png;base64,AAAA)`,
		`url(https://x/assets/a.png)`, `url(//x/assets/a.png)`, `url(../../a.png)`, `url(none.png)`,
		`url(/a.png)`, `url(\61.png)`, `my-url(a.png)`, `url()`, `url(#a)`, `url("a.png`,
		`url(a.png`,
		`url("a.png" x)`, `url(a.p"ng)`, `@importer "a.png"`, `@import a "a.png"`, `u\rl(a.png)`,
		`url(a%2epng)`, `"a.png"`, `url("a.png
)`,
	} {
		a := load(t, files(fields{"app.css": css, "a.png": "A"}), browsercache.AssetOptions{})
		if got := serve(t, a, "GET", a.Path("app.css"), nil).Body; got != css {
			t.Errorf("%s became %s", css, got)
		}
	}
}

func TestAChangeChangesTheNamesOfAllThatReferToIt(t *testing.T) {
	was := fields{"a.css": `@import "b.css"; p{}`,
		"b.css": `@import url(a.css); i{background:url(x.png)}`,
		"c.css": `@import "a.css"`, "d.css": `u{}`, "x.png": "X", "self.css": `@import "self.css"`}
	for changed, affected := range (fields{
		"x.png": "a.css b.css c.css x.png", "b.css": "a.css b.css c.css", "c.css": "c.css",
		"d.css": "d.css", "self.css": "self.css",
	}) {
		before := load(t, files(was), browsercache.AssetOptions{})
		now := files(was)
		now[changed].Data = append(now[changed].Data, ' ')
		after := load(t, now, browsercache.AssetOptions{})
		for name := range was {
			if moved := before.Path(name) != after.Path(name); moved != strings.Contains(affected,
				name) {
				t.Errorf("%s changed: %s got another name: %v", changed, name, moved)
			}
		}
	}
}

func TestTheImportMapNamesModules(t *testing.T) {
	a := load(t, files(fields{"js/app.js": `import "./b.js"`, "js/b.js": `</script>`, "x.mjs": "",
		"p.css": ""}), browsercache.AssetOptions{})
	page := template.Must(template.New("").Funcs(a.Funcs()).Parse(`<head>{{ importmap }}</head>`))
	var b strings.Builder
	if err := page.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(strings.TrimPrefix(b.String(), `<head><script type="importmap">`),
		`</script></head>`)
	var got struct{ Imports map[string]string }
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%q: %v", b.String(), err)
	}
	for _, name := range []string{"js/app.js", "js/b.js", "x.mjs"} {
		if got.Imports["/assets/"+name] != a.Path(name) {
			t.Errorf("%s is %q, want %q", name, got.Imports["/assets/"+name], a.Path(name))
		}
	}
	if len(got.Imports) != 3 {
		t.Errorf("imports %q", got.Imports)
	}
}

func pack(t testing.TB, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unpack(t testing.TB, packed string) string {
	t.Helper()
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheBestEncodingIsSentThatIsAccepted(t *testing.T) {
	a := load(t, files(fields{"a.js": "plain", "a.js.br": "br", "a.js.zst": "zst",
		"a.js.gz": pack(t, "plain")}), browsercache.AssetOptions{})
	seen := map[string]string{}
	for accept, want := range (fields{
		"gzip, br": "br", "br;q=0.5, gzip": "gzip", "zstd, gzip": "zstd", "GZIP;Q=0.1": "gzip",
		"": "", "identity": "", "br;q=0": "", "*": "br", "*;q=0.5, br;q=0": "zstd",
		"identity;q=1, gzip;q=0.5": "", "br;q=x, gzip;q=2, deflate": "", "br; q=1.0": "br",
		"x-gzip": "gzip",
	}) {
		got := serve(t, a, "GET", a.Path("a.js"), fields{"Accept-Encoding": accept})
		h := got.Header
		if h.Get("Content-Encoding") != want || h.Get("Vary") != "Accept-Encoding" ||
			got.Status != 200 ||
			h.Get("Content-Type") != "text/javascript; charset=utf-8" ||
			h.Get("Content-Length") != fmt.Sprint(len(got.Body)) {
			t.Errorf("%q: %+v, want %q", accept, got, want)
		}
		tag := h.Get("ETag")
		if other, ok := seen[tag]; ok && other != want || tag == "" {
			t.Errorf("%q and %q share the ETag %s", other, want, tag)
		}
		seen[tag] = want
		again := serve(t, a, "GET", a.Path("a.js"), fields{"Accept-Encoding": accept,
			"If-None-Match": tag})
		if again.Status != 304 || again.Header.Get("Vary") == "" {
			t.Errorf("%q again: %+v", accept, again)
		}
	}
	for _, name := range []string{"a.js.br", "a.js.gz", "a.js.zst"} {
		if got := serve(t, a, "GET", "/assets/"+name, nil); got.Status != 404 {
			t.Errorf("%s is an asset of its own: %+v", name, got)
		}
	}
}

func TestASiblingThatWasForgottenIsNotSent(t *testing.T) {
	now, then := time.Now(), time.Now().Add(-time.Hour)
	m := fstest.MapFS{
		"old.js":      {Data: []byte("new"), ModTime: now},
		"old.js.br":   {Data: []byte("old"), ModTime: then},
		"wrong.js":    {Data: []byte("new"), ModTime: then},
		"wrong.js.gz": {Data: []byte(pack(t, "old")), ModTime: now},
		"bomb.js":     {Data: []byte("new")},
		"bomb.js.gz":  {Data: []byte(pack(t, strings.Repeat("x", 1<<20)))},
		"cut.js":      {Data: []byte("new")},
		"cut.js.gz":   {Data: []byte(pack(t, "new")[:20])},
		"css.css":     {Data: []byte("@import 'x.css'")},
		"css.css.br":  {Data: []byte("refers to plain names")},
		"x.css":       {Data: []byte("x")},
	}
	a := load(t, m, browsercache.AssetOptions{})
	for _, name := range []string{"old.js", "wrong.js", "bomb.js", "cut.js", "css.css"} {
		got := serve(t, a, "GET", a.Path(name), fields{"Accept-Encoding": "gzip, br"})
		if got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTextIsCompressedOnce(t *testing.T) {
	text := strings.Repeat("p { color: red } ", 200)
	a := load(t, files(fields{"a.css": text, "a.png": text, "s.css": "p{}"}),
		browsercache.AssetOptions{})
	got := serve(t, a, "GET", a.Path("a.css"), fields{"Accept-Encoding": "gzip"})
	if got.Header.Get("Content-Encoding") != "gzip" || len(got.Body) > len(text)/4 ||
		unpack(t, got.Body) != text {
		t.Errorf("%d of %d bytes, %v", len(got.Body), len(text), got.Header)
	}
	for _, name := range []string{"a.png", "s.css"} {
		got := serve(t, a, "GET", a.Path(name), fields{"Accept-Encoding": "gzip"})
		if got.Header.Get("Content-Encoding") != "" || got.Header.Get("Vary") != "" {
			t.Errorf("%s: %v", name, got.Header)
		}
	}
}

func TestRangesAreOfTheFileAsItIs(t *testing.T) {
	text := strings.Repeat("0123456789", 300)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.txt"), text)
	for _, most := range []int64{0, 100} {
		a := load(t, os.DirFS(dir), browsercache.AssetOptions{MaxInMemory: most})
		path := a.Path("a.txt")
		tag := serve(t, a, "GET", path, nil).Header.Get("ETag")
		got := serve(t, a, "GET", path, fields{"Range": "bytes=10-14", "If-Range": tag,
			"Accept-Encoding": "gzip"})
		if got.Status != 206 || got.Body != "01234" || got.Header.Get("Content-Encoding") != "" {
			t.Errorf("%+v", got)
		}
		if got := serve(t, a, "GET", path, fields{"Range": "bytes=9-9",
			"If-Range": `"x"`}); got.Status != 200 {
			t.Errorf("%+v", got)
		}
		if got := serve(t, a, "HEAD", path, nil); got.Header.Get("Content-Length") != "3000" {
			t.Errorf("HEAD: %+v", got)
		}
	}
}

// TestALargeFileThatWasReplacedIsNotServedUnderItsOldName would be wrong for a year.
func TestALargeFileThatWasReplacedIsNotServedUnderItsOldName(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.bin")
	write(t, name, strings.Repeat("a", 1000))
	a := load(t, os.DirFS(filepath.Dir(name)), browsercache.AssetOptions{MaxInMemory: 100})
	path := a.Path("a.bin")
	write(t, name, strings.Repeat("b", 1001))
	if got := serve(t, a, "GET", path, nil); got.Status != 404 ||
		got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", got.Status, got.Header)
	}
}

func TestChangesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.css"), "p{}")
	a := load(t, os.DirFS(dir), browsercache.AssetOptions{Changes: browsercache.Followed})
	still := load(t, os.DirFS(dir), browsercache.AssetOptions{})
	old := a.Path("app.css")
	write(t, filepath.Join(dir, "app.css"), "p{color:red}")
	write(t, filepath.Join(dir, "new.css"), "i{}")
	now := a.Path("app.css")
	if now == old || still.Path("app.css") != old {
		t.Errorf("%s, then %s; without following %s", old, now, still.Path("app.css"))
	}
	if got := serve(t, a, "GET", now, nil); got.Body != "p{color:red}" {
		t.Errorf("%+v", got)
	}
	if got := serve(t, a, "GET", old, nil); got.Status != 302 {
		t.Errorf("the old name: %+v", got)
	}
	if _, err := a.Find("new.css"); err != nil {
		t.Error(err)
	}
	if err := os.Remove(filepath.Join(dir, "new.css")); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Find("new.css"); !errors.Is(err, browsercache.ErrNoAsset) {
		t.Errorf("error %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if got := serve(t, a, "GET", now, nil); got.Status != 200 {
		t.Errorf("without its folder: %+v", got)
	}
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	_, err := browsercache.NewAssets(os.DirFS(filepath.Join(t.TempDir(), "x")),
		browsercache.AssetOptions{})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestThirtyTwoBrowsersAskWhileFilesChange(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "app.css"), "p{background:url(x.png)}"+strings.Repeat(" ", 2000))
	write(t, filepath.Join(dir, "x.png"), "0")
	a := load(t, os.DirFS(dir), browsercache.AssetOptions{Changes: browsercache.Followed})
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			for i := range 20 {
				if g == 0 {
					write(t, filepath.Join(dir, "x.png"), strings.Repeat("1", i+1))
				}
				r := httptest.NewRequest("GET", a.Path("app.css"), nil)
				r.Header.Set("Accept-Encoding", "gzip")
				w := httptest.NewRecorder()
				a.ServeHTTP(w, r)
				if w.Code != 200 && w.Code != 302 {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			}
		})
	}
	wg.Wait()
}

// FuzzStyleSheets lets any text be a style sheet. It must come out as it went in, but for
// fingerprints.
func FuzzStyleSheets(f *testing.F) {
	for _, css := range []string{`@import "b.css";`, `p{background:url( "x.png" )}`, `url(x.png`,
		`"\`, `/*`, `@import/**/'b.css'`, `url(\`, `\`, `@import url("b.css?a#b")`, `url(./b.css)`,
		`url(a%2ecss)`, `url(/assets/b.css)`, `url("x.png\`} {
		f.Add(css)
	}
	mark := regexp.MustCompile(`\.[0-9a-f]{16}\b`)
	f.Fuzz(func(t *testing.T, css string) {
		a := load(t, files(fields{"a.css": css, "b.css": "b", "x.png": "x"}),
			browsercache.AssetOptions{})
		w := httptest.NewRecorder()
		a.ServeHTTP(w, httptest.NewRequest("GET", a.Path("a.css"), nil))
		got := w.Body.String()
		if w.Code != http.StatusOK || mark.ReplaceAllString(got, "") != mark.ReplaceAllString(css,
			"") {
			t.Errorf("%q became %q", css, got)
		}
	})
}
