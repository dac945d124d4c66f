// main.go answers: how does a program start with a warm cache?

// Command warm-at-start fills a cache before anybody asks: from a list of keys, from an iterator
// (a file of keys, a sitemap, rows of a table), and from the snapshot that the process of yesterday
// has left, hottest entries first, with what is left of their times.
//
//	go run ./examples/warm-at-start /tmp/larder-example.snapshot
package main

import (
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder"
)

const sitemap = `/about
/jobs
/news/1
/news/2
/nowhere
`

// loadPages gets several pages at once: what an origin that can do so should be given.
func loadPages(ctx context.Context, paths []string) (map[string]string, error) {
	pages := map[string]string{}
	for _, path := range paths {
		if path != "/nowhere" {
			pages[path] = "the page " + path
		}
	}
	return pages, nil
}

func newPages() *larder.Cache[string, string] {
	return larder.New(larder.Options[string, string]{
		Name: "pages", LoadMany: loadPages, MaxEntries: 1000, TTL: 24 * time.Hour,
	})
}

func main() {
	snapshot := filepath.Join(os.TempDir(), "larder-example.snapshot")
	if len(os.Args) > 1 {
		snapshot = os.Args[1]
	}
	ctx := context.Background()
	if err := yesterday(ctx, snapshot); err != nil {
		log.Fatal(err)
	}
	if err := today(ctx, snapshot); err != nil {
		log.Fatal(err)
	}
}

// yesterday warms from a list and from an iterator, serves, and leaves its hottest entries.
func yesterday(ctx context.Context, snapshot string) error {
	pages := newPages()
	defer pages.Close()
	list := []string{"/", "/shop"}
	warmed, err := pages.Warm(ctx, slices.Values(list), larder.WarmOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("from a list: %+v\n", warmed)
	warmed, err = pages.Warm(ctx, lines(sitemap), larder.WarmOptions{AtOnce: 2, Batch: 2})
	if err != nil {
		return err
	}
	fmt.Printf("from a sitemap: %+v\n", warmed)
	for range 100 { // a day's work
		for _, path := range []string{"/", "/news/2"} {
			if _, err := pages.Get(ctx, path); err != nil {
				return err
			}
		}
	}
	fmt.Println("loads that anybody waited for:", pages.Stats().Misses)
	n, err := pages.SaveFile(snapshot, 2)
	fmt.Println("saved:", n)
	return err
}

// today begins with what yesterday has left. Without a snapshot it begins with nothing.
func today(ctx context.Context, snapshot string) error {
	pages := newPages()
	defer pages.Close()
	n, err := pages.RestoreFile(ctx, snapshot)
	if err != nil {
		log.Print(err) // of another version, or damaged: no reason not to start
	}
	fmt.Println("restored:", n)
	for _, path := range []string{"/", "/news/2", "/jobs"} {
		_, ok := pages.Lookup(path)
		fmt.Println("at once there:", path, ok)
	}
	fmt.Println("loads:", pages.Stats().Loads)
	return nil
}

// lines yields the lines of a text without their ends.
func lines(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(text) {
			if !yield(strings.TrimSuffix(line, "\n")) {
				return
			}
		}
	}
}
