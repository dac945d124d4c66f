// main.go answers: how do several front ends share the pages that one of them has made?

// Command responses-in-redis runs two front ends of one application, as two machines would. Each
// keeps whole responses in memory, and both in one Redis: what one has made the other need not
// make. A purge at one reaches the memory of the other. When Redis is gone nobody notices but who
// is asked more often.
//
//	go run ./examples/responses-in-redis -redis localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

// made counts how often a page was made, at both front ends together.
var made atomic.Int64

func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "s-maxage=3600")
	w.Header().Set("Surrogate-Key", "menu")
	fmt.Fprintf(w, "%s, made %d times", r.URL.Path, made.Add(1))
}

// frontEnd is one machine.
type frontEnd struct {
	redis *redis.Store
	store *store.Guard
	cache *httpcache.Cache
	http.Handler
}

func open(addr string) (*frontEnd, error) {
	r, err := redis.Open(redis.Options{Addrs: []string{addr}, Prefix: "larder-pages:"})
	if err != nil {
		return nil, err
	}
	f := &frontEnd{redis: r}
	// The guard leaves Redis alone when that is slow or down; no reader waits for it then.
	f.store = store.NewGuard(r, store.GuardOptions{})
	f.cache = httpcache.New(httpcache.Options{Store: f.store})
	f.Handler = f.cache.Middleware(http.HandlerFunc(page), httpcache.View{})
	return f, nil
}

// close closes the cache before its store.
func (f *frontEnd) close() { errors.Join(f.cache.Close(), f.store.Close()) }

// get returns a page, and whether it was kept.
func (f *frontEnd) get(path string) (body string, outcome httpcache.Outcome) {
	ctx, result := httpcache.Track(context.Background())
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", path, nil))
	return w.Body.String(), result.Outcome
}

func main() {
	addr := flag.String("redis", "localhost:6379", "address of a Redis")
	flag.Parse()
	log.SetFlags(0)
	if err := run(context.Background(), *addr); errors.Is(err, store.ErrUnavailable) {
		log.Fatalf("nobody answers at %s: start redis-server (%v)", *addr, err)
	} else if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, addr string) error {
	first, err := open(addr)
	if err != nil {
		return err
	}
	defer first.close()
	second, err := open(addr)
	if err != nil {
		return err
	}
	defer second.close()
	if err := first.redis.Clear(ctx); err != nil { // of an earlier run
		return err
	}
	show := func(name string, f *frontEnd) {
		body, outcome := f.get("/menu")
		fmt.Printf("%s front end: %s (%v)\n", name, body, outcome)
	}
	show("first", first)
	show("second", second)
	show("second", second)
	if _, err := first.cache.Purge(ctx, httpcache.Purge{Tag: "menu"}); err != nil {
		return err
	}
	for outcome := httpcache.Hit; outcome == httpcache.Hit; time.Sleep(time.Millisecond) {
		_, outcome = second.get("/menu") // until it has heard of the purge
	}
	fmt.Println("purged at the first, and made again at the second")
	show("first", first)
	return nil
}
