// example_test.go shows how the titles of many pages are read.

package scrape_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"

	"github.com/larder-go/larder/scrape"
)

func ExampleMap_titlesOfManyPages() {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			fmt.Fprint(w, "User-agent: *\nDisallow: /private/\n")
		default:
			fmt.Fprintf(w, "<title>Page</title><h1>This is %s</h1>", r.URL.Path)
		}
	}))
	defer s.Close()

	f := scrape.New(scrape.Options{AllowPrivate: true}) // the server is on this machine
	defer f.Close()
	headings := func(p *scrape.Page) ([]scrape.Title, error) {
		_, hs := scrape.Titles(p)
		return hs, nil
	}
	urls := slices.Values([]string{s.URL + "/a", s.URL + "/private/b", s.URL + "/c"})
	for url, r := range scrape.Map(context.Background(), f, urls, headings) {
		if r.Err != nil {
			fmt.Println("no", url[len(s.URL):])
			continue
		}
		fmt.Println(r.Value[0].Level, r.Value[0].Text)
	}
	// Output:
	// 1 This is /a
	// no /private/b
	// 1 This is /c
}
