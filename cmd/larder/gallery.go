// gallery.go is the command gallery: a folder of pictures in a browser.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/larder-go/larder/gallery"
	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/scrape"
	"github.com/larder-go/larder/store"
)

func galleryCommand(g *globals) *cobra.Command {
	s := show{g: g, memory: gallery.DefaultMemory, ttl: duration(15 * time.Minute)}
	cmd := &cobra.Command{
		Use:   "gallery [FLAGS] DIR | --urls FILE",
		Short: "look through many pictures in a browser",
		Example: "  larder gallery /mnt/nas/photos\n" +
			"  larder gallery --listen :8484 ~/Pictures    # for the phone too\n" +
			"  larder gallery --urls product-images.txt",
		Long: "Serves a page with all pictures in DIR and below it, or at the addresses in FILE, one a\n" +
			"line. It opens at once: nothing is indexed, and nothing is written into DIR.\n" +
			"Thumbnails are made when they are seen, and kept in the cache. The page follows what\n" +
			"changes in the folder. Everybody who can reach the address sees all pictures: by\n" +
			"default that is this machine alone.\n\n" +
			"HEIC, AVIF, raw files and videos are shown if vipsthumbnail or ffmpeg is installed.\n" +
			"It ends with Ctrl-C.\n\n" +
			"Exit codes: 0 ended with Ctrl-C or SIGTERM, 1 failed, 2 usage.",
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.run(cmd.Context(), cmd.InOrStdin(), args)
		},
	}
	s.bind(cmd.Flags())
	return cmd
}

// show is what the command gallery was told.
type show struct {
	g            *globals
	listen       string
	urls         string
	title        string
	prefix       string
	hosts        []string
	memory       size
	ttl          duration
	allowPrivate bool
}

func (s *show) bind(flags *pflag.FlagSet) {
	flags.SortFlags = false
	flags.StringVar(&s.listen, "listen", "",
		"`ADDRESS` to serve at; :8484 means all addresses of this machine"+
			" (default 127.0.0.1:8484, or a free port if that is taken)")
	flags.StringVar(&s.urls, "urls", "",
		"`FILE` with addresses of pictures, one a line; - is stdin")
	flags.StringVar(&s.title, "title", "",
		"what the page is called, a `TEXT` (default: the folder's name)")
	flags.StringVar(&s.prefix, "prefix", "", "`PATH` below which the page is served, such as /photos")
	flags.StringArrayVar(&s.hosts, "host", nil,
		"`NAME` under which browsers may ask, besides localhost and addresses; may be repeated")
	flags.Var(&s.memory, "memory", "bound of thumbnails and of pictures being decoded in memory")
	flags.Var(&s.ttl, "ttl",
		"with --urls: how long a picture is served without asking for it again")
	flags.BoolVar(&s.allowPrivate, "allow-private", false,
		"with --urls: allow hosts in private networks and on this machine")
}

// check refuses what can only be a slip.
func (s *show) check(args []string) error {
	switch {
	case len(args) > 1:
		return usagef("gallery: %d folders: give one", len(args))
	case len(args) == 1 && s.urls != "":
		return usagef("gallery: a folder and --urls: give one of them")
	case len(args) == 0 && s.urls == "":
		return usagef("gallery: no folder: give one, or --urls FILE")
	case s.memory < 32<<20:
		return usagef("gallery: --memory %s: too small: give at least 32MiB", s.memory.String())
	case s.ttl < 1:
		return usagef("gallery: --ttl must be longer than 0s")
	case s.prefix != "" && (s.prefix[0] != '/' || strings.ContainsAny(s.prefix, "?#% ")):
		return usagef("gallery: --prefix %q: give a path such as /photos", s.prefix)
	}
	return nil
}

func (s *show) run(ctx context.Context, stdin io.Reader, args []string) error {
	if err := s.check(args); err != nil {
		return err
	}
	if os.Getenv("GOMEMLIMIT") == "" { // what is given back to the system late counts as well
		debug.SetMemoryLimit(int64(s.memory) + 64<<20)
	}
	kept := s.g.openOrPass("gallery")
	defer kept.Close()
	pictures, err := s.open(ctx, stdin, args, kept)
	if err != nil {
		return err
	}
	return errors.Join(s.serve(ctx, pictures), pictures.Close())
}

// open returns the gallery of a folder or of addresses.
func (s *show) open(
	ctx context.Context, stdin io.Reader, args []string, kept store.Store,
) (*gallery.Gallery, error) {
	o := gallery.Options{
		Title: s.title, Memory: int64(s.memory), Store: kept, Fresh: time.Duration(s.ttl),
		OnError: func(err error) { s.g.say("%v", err) },
	}
	if s.urls == "" {
		return gallery.Dir(args[0], o)
	}
	urls, err := await(ctx, func() ([]string, error) { return readURLs(s.urls, stdin) })
	if err != nil {
		return nil, err
	}
	return gallery.URLs(urls, s.client(kept), o)
}

// client gets pictures through the cache.
func (s *show) client(kept store.Store) *http.Client {
	base := scrape.PublicTransport()
	if s.allowPrivate {
		base = http.DefaultTransport.(*http.Transport).Clone()
	}
	return &http.Client{
		Timeout:   time.Minute,
		Transport: &httpcache.Transport{Base: base, Store: kept, TTL: time.Duration(s.ttl)},
	}
}

// readURLs reads addresses, one a line. Empty lines and those that begin with # are none.
func readURLs(path string, stdin io.Reader) (urls []string, err error) {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		defer file.Close()
		in = file
	}
	var failed error
	for url := range lines(in, &failed) {
		urls = append(urls, url)
	}
	if failed != nil {
		return nil, fmt.Errorf("gallery: read %s: %w", path, failed)
	}
	if len(urls) == 0 {
		return nil, errors.New("gallery: no address in " + path)
	}
	return urls, nil
}
