// main.go answers: how do I let a CDN keep pages for long, and still change them at once?

// Command cdn-and-purge has a news site behind a shared cache, as a CDN is one. The site says
// twice how long a page is fresh: to browsers, which nobody can call back, a minute; to the CDN,
// which can be told, an hour. It names in Surrogate-Key what each page was made of. When an
// author is renamed, all pages with that key leave, and no other.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/larder-go/larder/httpcache"
)

// site is the origin. It counts what it is asked.
type site struct {
	asked  atomic.Int64
	author atomic.Value // the name of the author of /news/1 and /news/2
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked.Add(1)
	h := w.Header()
	switch r.URL.Path {
	case "/news/1", "/news/2":
		h.Set("Cache-Control", "max-age=60") // for browsers
		// For CDNs, in the place of the other (RFC 9213).
		h.Set("CDN-Cache-Control", "max-age=3600, stale-while-revalidate=60")
		h.Set("Surrogate-Key", "news author/7")
		fmt.Fprintf(w, "%s by %s", r.URL.Path, s.author.Load())
	case "/prices":
		h.Set("Cache-Control", "max-age=0, s-maxage=600") // the older way to say the like
		h.Set("Surrogate-Key", "prices")
		fmt.Fprint(w, "tea 3.20")
	case "/cart":
		h.Set("Cache-Control", "private") // is for one reader: no CDN keeps it
		fmt.Fprint(w, "your cart")
	}
}

func main() {
	log.SetFlags(0)
	s := &site{}
	s.author.Store("Ann")
	origin := httptest.NewServer(s)
	defer origin.Close()
	to, err := url.Parse(origin.URL)
	if err != nil {
		log.Fatal(err)
	}
	cdn := httpcache.New(httpcache.Options{})
	defer cdn.Close()
	edge := httptest.NewServer(cdn.Proxy(httpcache.Origin{URL: to}))
	defer edge.Close()
	if err := run(s, cdn, edge.URL); err != nil {
		log.Fatal(err)
	}
}

// run reads the pages twice, changes something, and reads them again, after each kind of purge.
func run(s *site, cdn *httpcache.Cache, edge string) error {
	if err := read(s, edge, "at first"); err != nil {
		return err
	}
	if err := read(s, edge, "again"); err != nil {
		return err
	}
	s.author.Store("Anna")
	for _, p := range []struct {
		what string
		httpcache.Purge
	}{
		{"the author", httpcache.Purge{Tag: "author/7"}},
		{"one page", httpcache.Purge{URL: edge + "/prices"}},
		{"a section", httpcache.Purge{Prefix: edge + "/news/"}},
		{"everything", httpcache.Purge{All: true}},
	} {
		n, err := cdn.Purge(context.Background(), p.Purge)
		if err != nil {
			return err
		}
		if err := read(s, edge, fmt.Sprintf("%s purged, %d responses", p.what, n)); err != nil {
			return err
		}
	}
	return softly(s, cdn, edge)
}

// softly changes something, and has readers wait for nothing: until the page is made anew they
// get the old one, if that says that it may be served stale for a while.
func softly(s *site, cdn *httpcache.Cache, edge string) error {
	s.author.Store("Annie")
	purge := httpcache.Purge{Tag: "author/7", Soft: true}
	if _, err := cdn.Purge(context.Background(), purge); err != nil {
		return err
	}
	last := ""
	for !strings.HasSuffix(last, "Annie") {
		body, err := get(edge + "/news/1")
		if err != nil {
			return err
		}
		if body != last {
			fmt.Printf("the author purged softly: %s\n", body)
		}
		last = body
	}
	return nil
}

// read reads all pages, and prints those that the origin was asked for.
func read(s *site, edge, when string) error {
	var asked []string
	for _, path := range []string{"/news/1", "/news/2", "/prices", "/cart"} {
		before := s.asked.Load()
		body, err := get(edge + path)
		if err != nil {
			return err
		}
		if s.asked.Load() > before {
			asked = append(asked, body)
		}
	}
	fmt.Printf("%s, from the origin: %q\n", when, asked)
	return nil
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}
