// example_test.go has samples to copy.

package artifact_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/store/disk"
)

// A model is trained in the first run of a program and restored in every later one, until the data,
// the rate or the version of the code are others.
func ExampleCache_Open_trainOnce() {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	data := filepath.Join(dir, "train.csv")
	if err := os.WriteFile(data, []byte("1,2\n3,4\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	folder, err := disk.Open(filepath.Join(dir, "cache"), disk.Options{MaxBytes: 8 << 30})
	if err != nil {
		log.Fatal(err)
	}
	defer folder.Close()

	models := artifact.New(artifact.Options{Store: folder, Name: "model", Version: "3"})
	key := artifact.Key{Args: []any{0.1}, Files: []string{data}}
	for range 2 {
		r, err := models.Open(context.Background(), key,
			func(_ context.Context, w io.Writer) error {
				fmt.Println("training")
				_, err := fmt.Fprintln(w, "weights 0.25 0.75")
				return err
			})
		if err != nil {
			log.Fatal(err)
		}
		line, err := bufio.NewReader(r).ReadString('\n')
		r.Close()
		fmt.Print(line, err, "\n")
	}
	// Output:
	// training
	// weights 0.25 0.75
	// <nil>
	// weights 0.25 0.75
	// <nil>
}

// A library that saves to a path, and loads from one, gets paths.
func ExampleCache_Path_forALibraryThatNeedsAFile() {
	dir, err := os.MkdirTemp("", "example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	folder, err := disk.Open(dir, disk.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer folder.Close()

	save := func(path string) error { return os.WriteFile(path, []byte("weights"), 0o600) }
	models := artifact.New(artifact.Options{Store: folder, Name: "model.onnx"})
	path, release, err := models.Path(context.Background(), artifact.Key{},
		func(_ context.Context, path string) error { return save(path) })
	if err != nil {
		log.Fatal(err)
	}
	defer release()
	content, err := os.ReadFile(path)
	fmt.Println(filepath.Base(path), string(content), err)
	// Output: model.onnx weights <nil>
}
