// main.go answers: how do slow results outlive the program, and fill no disk?

// Command survives-restart has a cache whose second level is a folder. What one run has loaded the
// next one finds; several at a time load it once for all; and the folder never takes more than it
// may, however much is put into it.
//
//	go run ./examples/survives-restart
//	go run ./examples/survives-restart -fill /tmp/larder-example
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// limit of the folder, in bytes.
const limit = 16 << 20

type answers = larder.Cache[string, string]

func main() {
	full := flag.Bool("fill", false, "put four times as much into the folder as it may hold")
	flag.Parse()
	log.SetFlags(0)
	dir := cmp.Or(flag.Arg(0), filepath.Join(os.TempDir(), "larder-example-answers"))
	do := ask
	if *full {
		do = fill
	}
	if err := run(context.Background(), dir, do); err != nil {
		log.Fatal(err)
	}
}

// act is what a run does.
type act = func(context.Context, *answers, *disk.Store) error

func run(ctx context.Context, dir string, do act) error {
	folder, err := disk.Open(dir, disk.Options{MaxBytes: limit})
	if err != nil {
		return err
	}
	defer folder.Close()
	c := larder.New(larder.Options[string, string]{
		Name: "answers", Load: slow, TTL: time.Hour,
		// patient, so that the folder is not skipped on a busy machine
		Store: store.NewGuard(folder, store.GuardOptions{Timeout: 5 * time.Second}),
	})
	defer c.Close()
	return do(ctx, c, folder)
}

// slow is what nobody wants to wait for twice.
func slow(_ context.Context, _ string) (string, error) {
	time.Sleep(200 * time.Millisecond)
	return "42", nil
}

// ask prints an answer, and whether it had to be loaded.
func ask(ctx context.Context, c *answers, _ *disk.Store) error {
	answer, err := c.Get(ctx, "answer")
	how := "kept"
	if c.Stats().Loads > 0 {
		how = "loaded"
	}
	fmt.Printf("%s (%s)\n", answer, how)
	return err
}

// fill puts in more than fits, and looks how large the folder is each time.
func fill(ctx context.Context, c *answers, folder *disk.Store) error {
	page, largest := string(make([]byte, 64<<10)), int64(0)
	for i := range 4 * limit / len(page) {
		if err := c.Set(ctx, fmt.Sprint("page ", i), page); err != nil {
			return err
		}
		now, err := folder.Stats()
		if err != nil {
			return err
		}
		largest = max(largest, now.Bytes)
	}
	now, err := folder.Stats()
	fmt.Printf("put in %d MiB, more than half of the limit is used: %v, never more than it: %v\n",
		4*limit>>20, now.Bytes > limit/2, largest <= limit)
	fmt.Println("the oldest had to leave:", now.Evicted > 0)
	return err
}
