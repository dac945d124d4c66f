// main.go answers: how do I show a folder of many pictures in my own program?

// Command picture-gallery serves the pictures of a folder below /photos of a program that has other
// pages as well. Thumbnails are made when they are seen, and kept on disk for the next start.
//
//	go run ./examples/picture-gallery ~/Pictures 127.0.0.1:8080
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/store/disk"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("give a folder and an address: picture-gallery ~/Pictures 127.0.0.1:8080")
	}
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func serve(dir, addr string) error {
	kept, err := disk.Open(filepath.Join(os.TempDir(), "larder-example-gallery"),
		disk.Options{MaxBytes: 256 << 20})
	if err != nil {
		return err
	}
	defer kept.Close()
	photos, err := gallery.Dir(dir, gallery.Options{
		Title: "Photos", Memory: 128 << 20, Store: kept,
		OnError: func(err error) { log.Print(err) },
	})
	if err != nil {
		return err
	}
	defer photos.Close()
	http.Handle("/photos/", http.StripPrefix("/photos", photos))
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, `<!doctype html><title>Home</title><a href="photos/">my photos</a>`)
	})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/photos/\n", l.Addr())
	return http.Serve(l, nil)
}
