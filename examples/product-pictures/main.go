// main.go answers: how do I show pictures that are somewhere else, small and when they are seen?

// Command product-pictures serves a product list whose pictures are at other servers. A picture is
// fetched when somebody scrolls to it, through a cache that asks again only when it has to, and made
// small; a visitor's browser never talks to the other servers. Private addresses are refused, unless
// ALLOW_PRIVATE is set.
//
//	go run ./examples/product-pictures 127.0.0.1:8080 https://go.dev/images/gophers/ladder.svg ...
package main

import (
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
)

var list = template.Must(template.New("list").Funcs(template.FuncMap{
	"thumb": func(url string) string { return "pictures/" + gallery.ThumbURL(url, 320) },
}).Parse(`<!doctype html>
<title>Products</title>
{{range $i, $url := .}}<p><img src="{{thumb $url}}" loading="lazy" width="320" height="320"
	alt="product {{$i}}"></p>
{{end}}<p><a href="pictures/">all pictures</a></p>
`))

func main() {
	if len(os.Args) < 3 {
		log.Fatal("give an address and URLs of pictures: product-pictures 127.0.0.1:8080 https://...")
	}
	if err := serve(os.Args[1], os.Args[2:]); err != nil {
		log.Fatal(err)
	}
}

func serve(addr string, urls []string) error {
	kept := store.NewMemory(store.MemoryOptions{})
	defer kept.Close()
	o := gallery.Options{Store: kept, Fresh: time.Hour}
	pictures, err := gallery.URLs(urls, client(kept), o)
	if err != nil {
		return err
	}
	defer pictures.Close()
	http.Handle("/pictures/", http.StripPrefix("/pictures", pictures))
	http.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		if err := list.Execute(w, urls); err != nil {
			log.Print(err)
		}
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	return http.Serve(l, nil)
}

// client fetches through a cache, and from public addresses only.
func client(kept store.Store) *http.Client {
	var network http.RoundTripper = scrape.PublicTransport()
	if os.Getenv("ALLOW_PRIVATE") != "" {
		network = http.DefaultTransport
	}
	return &http.Client{
		Timeout:   30 * time.Second,
		Transport: &httpcache.Transport{Base: network, Store: kept, TTL: time.Hour},
	}
}
