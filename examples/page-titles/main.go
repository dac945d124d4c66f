// main.go answers: how do I read the titles of many pages, and stay welcome?

// Command page-titles is a scraper in thirty lines: pages are kept for 15 minutes, after that only
// what has changed is sent again, and robots.txt is obeyed.
//
//	go run ./examples/page-titles /tmp/larder-example https://go.dev/blog/
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store/disk"
)

func main() {
	if len(os.Args) < 3 {
		log.Fatal("usage: page-titles FOLDER URL...")
	}
	s, err := disk.Open(os.Args[1], disk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	f := scrape.New(scrape.Options{
		Store: s, TTL: 15 * time.Minute, Rate: 5,
		AllowPrivate: os.Getenv("ALLOW_PRIVATE") != "", // for a server on this machine
	})
	defer f.Close()
	for url, r := range f.All(context.Background(), slices.Values(os.Args[2:])) {
		if r.Err != nil {
			log.Print(r.Err)
			continue
		}
		_, headings := scrape.Titles(r.Value)
		fmt.Printf("%s (%s)\n", url, r.Value.Outcome)
		for _, h := range headings {
			fmt.Printf("%s%s\n", strings.Repeat("  ", h.Level), h.Text)
		}
	}
}
