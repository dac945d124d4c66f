// example_test.go shows a gallery in a program of one's own.

package gallery_test

import (
	"log"
	"net/http"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

func ExampleDir() {
	kept, err := disk.Open("thumbnails", disk.Options{MaxBytes: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	defer kept.Close()
	photos, err := gallery.Dir("/mnt/nas/photos", gallery.Options{Store: kept})
	if err != nil {
		log.Fatal(err)
	}
	defer photos.Close()
	http.Handle("/photos/", http.StripPrefix("/photos", photos))
	log.Print(http.ListenAndServe("127.0.0.1:8080", nil))
}

func ExampleURLs() {
	kept := store.NewMemory(store.MemoryOptions{})
	client := &http.Client{Transport: &httpcache.Transport{
		Base: scrape.PublicTransport(), Store: kept, // no private addresses, whatever leads to them
	}}
	urls := []string{"https://shop.example/tea.jpg", "https://shop.example/coffee.jpg"}
	pictures, err := gallery.URLs(urls, client, gallery.Options{Store: kept})
	if err != nil {
		log.Fatal(err)
	}
	defer pictures.Close()
	http.Handle("/pictures/", http.StripPrefix("/pictures", pictures))
	log.Print(http.ListenAndServe("127.0.0.1:8080", nil))
}
