// main.go answers: what happens in my caches?

// Command dashboard is a shop with three caches, each of which has another trouble: one is too
// small, one has too short a TTL, and one saves nothing. Nobody would notice: the shop works. The
// caches observe themselves, so they can say it. The program lets some visitors come, prints what
// matters most of what each cache says of itself, and ends. Or it goes on, and shows all of it on a
// page in the browser, where you can look for the causes.
//
//	go run ./examples/dashboard
//	go run ./examples/dashboard -listen localhost:6060    # then open /debug/cache/ and /metrics
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/stats"
)

// some is how many visits are enough for an advice.
const some = 2400

func main() {
	listen := flag.String("listen", "", "go on, and serve the page at this address")
	flag.Parse()
	log.SetFlags(0)
	s := newShop()
	defer s.close()
	var err error
	if *listen != "" {
		err = serve(s, *listen)
	} else {
		err = advise(s)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// advise lets some visitors come, and prints what matters most of what each cache says.
func advise(s *shop) error {
	if err := s.open(context.Background(), some); err != nil {
		return err
	}
	for _, cache := range []struct {
		name string
		says []stats.Advice // what matters most first
	}{
		{"products", s.products.Advice()}, {"prices", s.prices.Advice()},
		{"searches", s.searches.Advice()},
	} {
		fmt.Printf("%s: %s\n", cache.name, cache.says[0].Text)
	}
	return nil
}

// serve shows the caches while visitors come and go, until one of them gets an error.
func serve(s *shop, addr string) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	set := stats.NewSet(s.products, s.prices, s.searches)
	page := dash.New(set, dash.Options{})
	defer page.Close()
	mux := http.NewServeMux()
	mux.Handle("/debug/cache/", page)
	mux.Handle("GET /metrics", prom.Handler(set))
	fmt.Printf("open http://%s/debug/cache/\n", listener.Addr())
	failed := make(chan error, 2)
	go func() { failed <- http.Serve(listener, mux) }()
	go func() { failed <- s.open(context.Background(), forEver) }()
	return <-failed
}
