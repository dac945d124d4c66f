// gallery.go is the face of the package: what a gallery is told, how it begins and how it ends.

// Package gallery shows many pictures to a browser.
//
// [Dir] shows those of a folder, [URLs] those at addresses. Both return a handler that serves a page
// with a virtual grid and a lightbox, and the thumbnails that the page asks for: made when they are
// seen, kept in memory and in a store, cancelled when they are scrolled past. A folder is not
// indexed, and nothing is written into it.
//
//	g, err := gallery.Dir("/mnt/nas/photos", gallery.Options{})
//	if err != nil { ... }
//	defer g.Close()
//	http.Handle("/photos/", http.StripPrefix("/photos", g))
//
// It knows no accounts: whoever reaches the handler sees all pictures. It edits nothing.
package gallery

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/gallery/thumb"
	"github.com/larder-go/larder/store"
)

// DefaultMemory is the memory of a gallery that is given none, in bytes.
const DefaultMemory = 256 << 20

// minMemory is what is needed to decode anything of interest.
const minMemory = 32 << 20

// Options says how pictures are shown. The zero value is good.
type Options struct {
	// Name says in a Snapshot which gallery it is. "" means "gallery".
	Name string
	// Title is what the page is called. "" means the name of the folder, or "Pictures".
	Title string
	// Memory bounds the bytes of thumbnails in memory, of files that are being read, and of
	// pictures that are being decoded, together. A picture that does not fit into five eighths of
	// it alone gets a tile that says so. 0 means DefaultMemory; at least 32 MiB.
	Memory int64
	// Store keeps thumbnails and placeholders across restarts. The gallery does not close it. nil
	// means that they are kept in memory alone.
	Store store.Store
	// Parallel is how many pictures are decoded at once. 0 means runtime.GOMAXPROCS.
	Parallel int
	// VipsThumbnail and FFmpeg are the programs for HEIF, AVIF, raw files and videos: "" means to
	// look on the PATH, thumb.Never not to run it.
	VipsThumbnail, FFmpeg string
	// Poll is how often a folder is looked at for changes where nobody tells of them, as on
	// network shares. 0 means two seconds; rounds that take long are made less often.
	Poll time.Duration
	// Fresh is how long the thumbnail of a picture by URL is served without asking for the picture
	// again. 0 means 15 minutes. Files are known by their size and times.
	Fresh time.Duration
	// OnError hears of what no request gets: a store that fails, a folder that cannot be watched.
	// Several goroutines may call it at once. nil means that nobody wants to know.
	OnError func(error)
}

// Gallery is a handler that shows pictures. It may be mounted below any path, by http.StripPrefix.
type Gallery struct {
	options  Options
	source   source
	maker    *thumb.Maker
	pictures *pictures
	views    *larder.Cache[viewKey, *view]
	mux      *http.ServeMux
	page     *page
	close    func() error
}

// source is where pictures come from.
type source interface {
	// title is what the page is called if nobody says.
	title() string
	// root says where that is, for the names of what is kept.
	root() string
	// catalog returns all pictures, as far as they are known.
	catalog() *catalog
	// local tells whether pictures are files in folders: they can be looked into at little cost.
	local() bool
	// inspect returns what is to be said of p, looking again if that was long ago.
	inspect(ctx context.Context, p *picture) *info
	// inspectAll begins to look at all pictures, and tells whether that is done.
	inspectAll() bool
	// open returns the bytes of p. They are closed by whoever asked.
	open(ctx context.Context, p *picture) (*opened, error)
	// close ends all that runs.
	close() error
}

// Dir shows the pictures in the folder at path and below it. It returns as soon as the folder could
// be opened; the page fills while it is being read. Links are followed as long as they stay below
// the folder; linked folders are not entered, since what is in them has a place of its own.
func Dir(path string, o Options) (*Gallery, error) {
	o = o.complete()
	f, err := openFolder(path, o)
	if err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	return newGallery(f, o), nil
}

// URLs shows the pictures at the given http and https addresses, got by client, which should cache
// them and refuse addresses that it must not reach: an http.Client over an httpcache.Transport over
// the transport of package scrape. An address is asked for when its picture is looked at.
func URLs(urls []string, client *http.Client, o Options) (*Gallery, error) {
	o = o.complete()
	l, err := newLinks(urls, client, o)
	if err != nil {
		return nil, fmt.Errorf("gallery: %w", err)
	}
	return newGallery(l, o), nil
}

func (o Options) complete() Options {
	if o.Memory < 0 || o.Memory > 0 && o.Memory < minMemory || o.Parallel < 0 || o.Poll < 0 ||
		o.Fresh < 0 {
		panic(fmt.Sprintf("gallery: options make no sense: %+v", o))
	}
	o.Name, o.Memory = cmp.Or(o.Name, "gallery"), cmp.Or(o.Memory, DefaultMemory)
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
	if o.Fresh == 0 {
		o.Fresh = 15 * time.Minute
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	return o
}

func newGallery(s source, o Options) *Gallery {
	g := &Gallery{options: o, source: s}
	g.maker = thumb.New(thumb.Options{
		Memory: o.Memory * 5 / 8, Parallel: o.Parallel,
		VipsThumbnail: o.VipsThumbnail, FFmpeg: o.FFmpeg,
	})
	g.pictures = newPictures(s, g.maker, o)
	g.views = larder.New(larder.Options[viewKey, *view]{
		Name: "views", MaxEntries: keptViews, Load: g.arrange,
	})
	if g.options.Title == "" {
		g.options.Title = s.title()
	}
	g.page = newPage()
	g.mux = g.routes()
	g.close = sync.OnceValue(func() error {
		err := s.close()
		g.views.Close()
		g.pictures.close()
		return err
	})
	return g
}

// Close ends the watching of the folder and all loads. Requests should have ended. It waits two
// seconds for a folder that does not answer, then returns an error. It may be called twice.
func (g *Gallery) Close() error { return g.close() }

// Stats says what a gallery has done.
type Stats struct {
	Pictures  int          // that are known
	Reading   bool         // the folder is still being read
	Thumbs    larder.Stats // of the cache of thumbnails: hits, loads, ...
	Made      int64        // thumbnails that were decoded
	Cancelled int64        // that were not, or not to the end, since nobody wanted them any more
	Failed    int64        // that could not be made
}

// Stats returns what the gallery has done so far.
func (g *Gallery) Stats() Stats {
	c := g.source.catalog()
	return Stats{
		Pictures: len(c.pictures), Reading: c.reading, Thumbs: g.pictures.thumbs.Stats(),
		Made:      g.pictures.made.Load(),
		Cancelled: g.pictures.cancelled.Load(),
		Failed:    g.pictures.failed.Load(),
	}
}
