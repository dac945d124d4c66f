// main.go answers: how do hit rate, memory, evictions and load times get into my metrics?

// Command metrics has a cache that is read by Prometheus at /metrics, and by whoever looks at
// /debug/vars, where the standard library shows its variables as JSON. Nothing is counted twice:
// both read what the cache counts anyway, when they are asked. The program works a little, asks
// itself for both, and prints what they say.
//
//	go run ./examples/metrics
//	go run ./examples/metrics -listen localhost:8080    # for a real Prometheus
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"expvar"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/metrics/prom"
	"github.com/larder-go/larder/metrics/vars"
	"github.com/larder-go/larder/stats"
)

func main() {
	listen := flag.String("listen", "", "serve the metrics at this address")
	flag.Parse()
	log.SetFlags(0)
	pages := larder.New(larder.Options[int, string]{
		Name: "pages", Load: load, MaxWeight: 10_000, Weigh: weigh, TTL: time.Minute,
	})
	defer pages.Close()
	handler := metrics(stats.NewSet(pages))
	err := work(pages)
	if err == nil && *listen != "" {
		err = http.ListenAndServe(*listen, handler)
	} else if err == nil {
		err = show(handler)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// metrics returns the handler that tells of the parts of a program. Here there is one.
func metrics(set *stats.Set) http.Handler {
	vars.Publish("caches", set)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", prom.Handler(set))
	mux.Handle("GET /debug/vars", expvar.Handler())
	return mux
}

func load(_ context.Context, id int) (string, error) {
	time.Sleep(time.Millisecond)
	if id < 0 {
		return "", larder.ErrNotFound
	}
	return strings.Repeat("x", 1000), nil
}

func weigh(_ int, page string) int { return len(page) }

// work asks for more pages than there is room for, then for one of them again and again, and for
// one that does not exist.
func work(pages *larder.Cache[int, string]) error {
	ctx := context.Background()
	for id := range 15 {
		if _, err := pages.Get(ctx, id); err != nil {
			return err
		}
	}
	if _, err := pages.Refresh(ctx, 1000); err != nil {
		return err
	}
	for range 50 {
		if _, err := pages.Get(ctx, 1000); err != nil {
			return err
		}
	}
	pages.Get(ctx, -1)
	return nil
}

// show prints the metrics as Prometheus and as people get them.
func show(handler http.Handler) error {
	page := httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for lines := bufio.NewScanner(page.Body); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "#") {
			fmt.Println(lines.Text())
		}
	}
	page = httptest.NewRecorder()
	handler.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/debug/vars", nil))
	var vars struct{ Caches []stats.Snapshot }
	if err := json.Unmarshal(page.Body.Bytes(), &vars); err != nil {
		return err
	}
	for _, s := range vars.Caches {
		ratio, _ := s.HitRatio()
		fmt.Printf("expvar: %s: %.1f %% hits\n", s.Name, 100*ratio)
	}
	return nil
}
