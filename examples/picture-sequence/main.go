// main.go answers: how do I look through pictures on a slow share without waiting for each?

// Command picture-sequence looks through the files of a folder as a person does: one after the
// other, then some back. While one is looked at the next ones are loaded; the last ten are kept.
//
//	go run ./examples/picture-sequence /mnt/nas/photos
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/larder-go/larder/prefetch"
)

// look is how long a picture is looked at.
const look = 150 * time.Millisecond

func main() {
	if len(os.Args) != 2 {
		log.Fatal("give a folder: picture-sequence /mnt/nas/photos")
	}
	names, err := filepath.Glob(filepath.Join(os.Args[1], "*"))
	if err != nil || len(names) == 0 {
		log.Fatal("no files in ", os.Args[1])
	}
	slices.Sort(names)
	if err := walk(context.Background(), names); err != nil {
		log.Fatal(err)
	}
}

// load reads one file. Several may be read at once, but never one of them twice.
func load(_ context.Context, name string) ([]byte, error) { return os.ReadFile(name) }

func walk(ctx context.Context, names []string) error {
	pictures := prefetch.New(load, prefetch.Slice(names), prefetch.Options[string, []byte]{
		MaxWeight: 64 << 20, Weigh: func(_ string, b []byte) int64 { return int64(len(b)) },
	})
	defer pictures.Close()
	for _, name := range names {
		if _, err := pictures.Get(ctx, name); err != nil {
			return err
		}
		time.Sleep(look)
	}
	there := pictures.Stats()
	for i := len(names) - 1; i >= max(0, len(names)-10); i-- { // the last ten, back
		if _, err := pictures.Get(ctx, names[i]); err != nil {
			return err
		}
	}
	back := pictures.Stats()
	fmt.Printf("forward: %d pictures, %d loads, %d waits\n",
		there.Asks, there.Loads, there.Asks-there.Hits)
	fmt.Printf("back: %d pictures, %d hits\n", back.Asks-there.Asks, back.Hits-there.Hits)
	return nil
}
