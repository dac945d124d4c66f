// main.go answers: how do I let browsers keep what they got, and never show what is old?

// Command browser-caching serves a small site and visits it as a browser does: with a cache of its
// own. It prints what the second visit costs, what happens when a new version of the site is
// deployed, and what an old tab gets.
//
//	go run ./examples/browser-caching
//	go run ./examples/browser-caching -listen localhost:8080    # look at the network tab
package main

import (
	"cmp"
	"flag"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync/atomic"
	"testing/fstest"
	"time"

	"github.com/larder-go/larder/browsercache"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

func main() {
	listen := flag.String("listen", "", "serve the site at this address, for a real browser")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*listen); err != nil {
		log.Fatal(err)
	}
}

func run(listen string) error {
	if listen == "" {
		return visit()
	}
	handler, err := site(files("green"))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	return http.Serve(l, handler)
}

// files are those of one version of the site. In a program that is deployed they are an embed.FS.
func files(colour string) fs.FS {
	return fstest.MapFS{
		"app.css": {Data: []byte(`@import "base.css"; h1 { color: ` + colour + ` }`)},
		"base.css": {Data: []byte(`body { font: 1.2rem/1.5 system-ui; margin: 3rem auto;
			max-width: 30rem } h1 { background: url("leaf.svg") no-repeat; padding-left: 3rem }`)},
		"leaf.svg": {Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40">
			<path d="M5 35C5 10 20 5 36 4 36 25 25 35 5 35Z" fill="#7a9"/></svg>`)},
	}
}

// site is the whole of it: files that are kept for ever, pages that are asked for by their ETag, a
// page whose version is known before it is made, and one that nobody may keep.
func site(files fs.FS) (http.Handler, error) {
	assets, err := browsercache.NewAssets(files, browsercache.AssetOptions{})
	if err != nil {
		return nil, err
	}
	page, err := template.New("").Funcs(assets.Funcs()).Parse(
		`<!doctype html><title>Tea</title><link rel="stylesheet" href="{{ asset "app.css" }}">
<h1>Tea</h1><p>Open the network tab, then follow <a href="/">this link</a>.
<p><a href="/article">An article</a>, <a href="/account">my account</a>`)
	if err != nil {
		return nil, err
	}
	home := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := page.Execute(w, nil); err != nil {
			log.Print(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle("/assets/", assets)
	mux.Handle("/{$}", browsercache.Validate(
		browsercache.With(browsercache.NoCache(), home), browsercache.ValidateOptions{}))
	mux.Handle("/article", http.HandlerFunc(article))
	mux.Handle("/account", browsercache.With(browsercache.NoStore(), http.HandlerFunc(account)))
	return mux, nil
}

// article knows from its database when it was changed; so it is not even made again.
func article(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", browsercache.Private(0).MustRevalidate().String())
	changed := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if browsercache.Answered(w, r, browsercache.Version{Modified: changed}) {
		return
	}
	fmt.Fprintln(w, "<h1>On tea</h1>")
}

func account(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "<h1>Your bill</h1>") }

// visit plays all that happens in the life of a page.
func visit() error {
	var now atomic.Pointer[http.Handler] // the version that is deployed
	server := httptest.NewServer(told(func(w http.ResponseWriter, r *http.Request) {
		(*now.Load()).ServeHTTP(w, r)
	}))
	defer server.Close()
	b := browser{&http.Client{Transport: &httpcache.Transport{
		Store: store.NewMemory(store.MemoryOptions{}),
	}}, server.URL}
	var tab string // the style sheet of a page that stays open
	for _, step := range []struct{ what, colour string }{
		{"the first visit", "green"}, {"the second visit", "green"},
		{"after a deploy", "darkgreen"},
	} {
		handler, err := site(files(step.colour))
		if err != nil {
			return err
		}
		now.Store(&handler)
		fmt.Printf("%s:\n", step.what)
		style, err := b.look()
		if err != nil {
			return err
		}
		tab = cmp.Or(tab, style)
	}
	fmt.Println("a tab that was open before, in another browser:")
	b.client = server.Client()
	_, err := b.get(tab)
	return err
}

// told prints each request that reaches the server, and what it says to browsers.
func told(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next(rec, r)
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		fmt.Printf("  %d %s  (%s)\n", rec.Code, r.URL.Path, rec.Header().Get("Cache-Control"))
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
}

// browser is a client that keeps what it got.
type browser struct {
	client *http.Client
	url    string
}

// assetIn matches what a page or a style sheet refers to.
var assetIn = regexp.MustCompile(`(?:href="/assets/|@import "|url\(")([^"]+)"`)

// look visits three pages and loads what they refer to. It returns the path of the style sheet.
func (b browser) look() (style string, err error) {
	for _, page := range []string{"/article", "/account", "/"} {
		text, err := b.get(page)
		if err != nil {
			return "", err
		}
		for found := assetIn.FindStringSubmatch(text); found != nil; {
			path := "/assets/" + found[1]
			style = cmp.Or(style, path)
			if text, err = b.get(path); err != nil {
				return "", err
			}
			found = assetIn.FindStringSubmatch(text)
		}
	}
	return style, nil
}

func (b browser) get(path string) (string, error) {
	resp, err := b.client.Get(b.url + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
