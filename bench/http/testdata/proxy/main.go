// main.go is the least that serves what httpcache.Proxy keeps: the contestant "package".
//
// It is built within the module of larder, so that the module of bench needs nothing that httpcache
// imports.

// Command proxy is the least program around a caching proxy, to be measured.
package main

import (
	"log"
	"net/http"
	"net/url"
	"os"

	"github.com/larder-go/larder/httpcache"
)

func main() {
	origin, err := url.Parse(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	proxy := httpcache.New(httpcache.Options{}).Proxy(httpcache.Origin{URL: origin})
	log.Fatal(http.ListenAndServe(os.Args[2], proxy))
}
