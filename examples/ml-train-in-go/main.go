// main.go trains a model once, and restores it in every run after that.

// Command ml-train-in-go fits a small neural network to the points of a CSV file, which it makes
// itself if it is not there. The first run trains; every later one restores the same model in
// milliseconds, until the data, the parameters or the version of the code are others.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/store/disk"
)

// version is the version of the code that trains. Raise it with every change that makes other
// models, or let the build set it: -ldflags "-X main.version=$(git rev-parse HEAD)".
var version = "1"

func main() {
	log.SetFlags(0)
	data := flag.String("data", "points.csv", "`file` of the points; made if it is not there")
	cache := flag.String("cache", "", "`folder` of the models (default: in the user's caches)")
	p := params{Hidden: 48, Steps: 1000, Rate: 0.3, Seed: 1}
	flag.IntVar(&p.Hidden, "hidden", p.Hidden, "neurons")
	flag.IntVar(&p.Steps, "steps", p.Steps, "steps of training")
	flag.Parse()
	if err := run(*data, *cache, p); err != nil {
		log.Fatal("ml-train-in-go: ", err)
	}
}

func run(data, cache string, p params) error {
	if _, err := os.Stat(data); errors.Is(err, fs.ErrNotExist) {
		if err := makeData(data); err != nil {
			return err
		}
	}
	s, err := openFolder(cache)
	if err != nil {
		return err
	}
	defer s.Close()
	models := artifact.New(artifact.Options{
		Store: s, Name: "model", Version: version,
		OnError: func(err error) { log.Print(err) },
	})
	began := time.Now()
	n, how, err := restore(models, data, p)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("%s in %v\n", how, took.Round(10*time.Microsecond))
	return show(n, data)
}

func openFolder(cache string) (*disk.Store, error) {
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		cache = filepath.Join(base, "ml-train-in-go")
	}
	return disk.Open(cache, disk.Options{MaxBytes: 64 << 20})
}

// restore returns the model of the points in data, and how it came by it.
func restore(models *artifact.Cache, data string, p params) (n *net, how string, err error) {
	how = "restored"
	key := artifact.Key{Args: []any{p}, Files: []string{data}}
	r, err := models.Open(context.Background(), key, func(ctx context.Context, w io.Writer) error {
		how = "trained"
		log.Print("training")
		points, err := readData(data)
		if err != nil {
			return err
		}
		n, err := train(ctx, points, p)
		if err != nil {
			return err
		}
		return n.write(w)
	})
	if err != nil {
		return nil, "", err
	}
	defer r.Close()
	n, err = readNet(r)
	return n, how, err
}

// show says which model it is, and how good.
func show(n *net, data string) error {
	points, err := readData(data)
	if err != nil {
		return err
	}
	sum := sha256.New()
	if err := n.write(sum); err != nil {
		return err
	}
	fmt.Printf("model %x, error %.3f\n", sum.Sum(nil), n.miss(points))
	return nil
}
