// main.go answers: how does a client ask for what has changed alone?

// Command http-client-cache prints how the cache answered each of three requests for one URL.
//
//	go run ./examples/http-client-cache https://go.dev/
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: http-client-cache URL")
	}
	s := store.NewMemory(store.MemoryOptions{})
	defer s.Close()
	client := &http.Client{
		Timeout:   30 * time.Second,
		Transport: &httpcache.Transport{Store: s},
	}
	for range 3 {
		if err := get(client, os.Args[1]); err != nil {
			log.Fatal(err)
		}
	}
}

func get(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body) // a body is kept once it has been read to its end
	if err != nil {
		return err
	}
	result := httpcache.ResultOf(resp)
	fmt.Printf("%s, %d bytes, %d requests\n", result.Outcome, n, result.Loads)
	return nil
}
