// main.go answers: how do I put a cache in front of a server that I cannot change?

// Command reverse-proxy is that cache, whole: it asks the origin what it has not, keeps what the
// origin permits to share, and goes on to serve it for a day when the origin is down. Many who ask
// for the same at once are one request to the origin. Interrupt it to see what it was good for.
//
//	go run ./examples/reverse-proxy -to https://example.com -listen localhost:8080
//
// The command larder proxy does the same with a file to configure it, disk and TLS.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"time"

	"github.com/larder-go/larder/httpcache"
)

func main() {
	to := flag.String("to", "http://localhost:3000", "URL of the origin")
	listen := flag.String("listen", "localhost:8080", "address to serve at")
	flag.Parse()
	origin, err := url.Parse(*to)
	if err != nil {
		log.Fatal(err)
	}
	cache := httpcache.New(httpcache.Options{
		Memory: 512 << 20, StaleIfError: 24 * time.Hour,
		OnError: func(err error) { log.Print(err) },
	})
	server := &http.Server{
		Addr: *listen, Handler: cache.Proxy(httpcache.Origin{URL: origin}),
		ReadHeaderTimeout: 10 * time.Second, // who takes longer holds a connection for nothing
	}
	interrupt, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(interrupt, func() { server.Shutdown(context.Background()) })
	fmt.Printf("%s is in front of %s\n", *listen, *to)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		log.Fatal(err)
	}
	server.Shutdown(context.Background()) // waits for what is under way, which needs the cache
	cache.Close()
	n := cache.Stats()
	fmt.Printf("%d from the cache, %d from the origin, %d stale\n", n.Hits, n.Misses, n.Stale)
}
