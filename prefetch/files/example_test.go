// example_test.go works through files of a share.

package files_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/larder-go/larder/prefetch/files"
)

func ExampleNew() {
	names, err := filepath.Glob("/mnt/nas/*.tif")
	if err != nil {
		log.Fatal(err)
	}
	scans, err := files.New(names, files.Options{MaxBytes: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	defer scans.Close()
	for i, name := range names {
		path, release, err := scans.Hold(context.Background(), i)
		if err != nil {
			log.Print(err)
			continue
		}
		fmt.Println(name, "is at", path, "while the next ones are being copied")
		release()
	}
}
