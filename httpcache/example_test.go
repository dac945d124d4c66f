// example_test.go shows how Transport is used.

package httpcache_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

func ExampleTransport() {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		io.WriteString(w, "hello")
	}))
	defer origin.Close()
	client := &http.Client{Transport: &httpcache.Transport{
		Store: store.NewMemory(store.MemoryOptions{}),
	}}
	for range 2 {
		resp, err := client.Get(origin.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(resp.Body) // to the end, or it is not stored
		resp.Body.Close()
		fmt.Printf("%s: %s\n", httpcache.ResultOf(resp).Outcome, body)
	}
	// Output:
	// miss: hello
	// hit: hello
}

// A TTL keeps pages whose origin forbids reuse or says nothing about it, as a scraper wants.
func ExampleTransport_ttl() {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		io.WriteString(w, "hello")
	}))
	defer origin.Close()
	client := &http.Client{Transport: &httpcache.Transport{
		Store: store.NewMemory(store.MemoryOptions{}),
		TTL:   15 * time.Minute,
	}}
	loads := 0
	for range 10 {
		resp, err := client.Get(origin.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		loads += httpcache.ResultOf(resp).Loads
	}
	fmt.Println("requests to the origin:", loads)
	// Output: requests to the origin: 1
}

// A request that is only-if-cached tells without the network whether a page may be served.
func ExampleTransport_onlyIfCached() {
	client := &http.Client{Transport: &httpcache.Transport{
		Store: store.NewMemory(store.MemoryOptions{}),
	}}
	req, _ := http.NewRequest(http.MethodGet, "http://example.com/", nil)
	req.Header.Set("Cache-Control", "only-if-cached")
	resp, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode, httpcache.ResultOf(resp).Reason)
	// Output: 504 not stored
}
