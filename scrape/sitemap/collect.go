// collect.go follows indexes, for the addresses of a whole site.

package sitemap

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// The bounds of Collect where Options names no other.
const (
	DefaultMaxFiles = 1000
	DefaultMaxPages = 1_000_000
)

// maxIndexes is how many indexes may stand above a sitemap. The protocol knows one.
const maxIndexes = 3

// Options bound a [Collect]; the zero value works.
type Options struct {
	// Host is whose pages are wanted, as in a URL: with the port, if it is not that of the scheme.
	// "" means the host of each root.
	Host string
	// MaxFiles is how many files are read at most; 0 means DefaultMaxFiles.
	MaxFiles int
	// MaxPages is how many addresses are kept at most; 0 means DefaultMaxPages.
	MaxPages int
	// OnError, if set, is told of each file that cannot be read, or not to its end.
	OnError func(url string, err error)
}

// Site is what the sitemaps of a site say.
type Site struct {
	Pages   []Entry // each address once, newest first; those without a date come last
	Files   int     // that were read
	Failed  int     // files that could not be read to their end; what came before counts
	Foreign int     // pages and sitemaps on other hosts, left out
	Bad     int     // entries without an address of http or https, left out
	Cut     bool    // there is more than MaxFiles or MaxPages
}

// Collect reads the sitemaps at roots and all that indexes among them lead to, those first that
// were modified last. Open returns the body of a file; Collect closes it. A file that fails does
// not stop the others. A page must be on the host that o names, or of the root that led to it; so
// must a sitemap that an index names. The roots themselves may be anywhere: robots.txt says where.
//
// The error is that of ctx; the Site then holds what was read before.
func Collect(
	ctx context.Context, open func(ctx context.Context, url string) (io.ReadCloser, error),
	roots []string, o Options,
) (Site, error) {
	c := collector{
		open: open, o: o.withDefaults(), known: map[string]bool{}, pages: map[string]bool{},
	}
	for _, root := range roots {
		host := c.o.Host
		if host == "" {
			host, _ = hostOf(root)
		}
		c.enqueue(step{root, host, 0})
	}
	for len(c.queue) > 0 && ctx.Err() == nil && !c.full() {
		next := c.queue[0]
		c.queue = c.queue[1:]
		c.read(ctx, next)
	}
	slices.SortStableFunc(c.site.Pages, newest)
	return c.site, ctx.Err()
}

func (o Options) withDefaults() Options {
	if o.MaxFiles == 0 {
		o.MaxFiles = DefaultMaxFiles
	}
	if o.MaxPages == 0 {
		o.MaxPages = DefaultMaxPages
	}
	if o.OnError == nil {
		o.OnError = func(string, error) {}
	}
	o.Host = normalHost("http", o.Host)
	return o
}

// newest orders entries by the time of their last change, the latest first.
func newest(a, b Entry) int { return b.Modified.Compare(a.Modified) }

// step is a file to read, the host whose pages count, and how many indexes led to it.
type step struct {
	url, host string
	indexes   int
}

type collector struct {
	open  func(ctx context.Context, url string) (io.ReadCloser, error)
	o     Options
	site  Site
	queue []step
	known map[string]bool // files by address
	pages map[string]bool
}

// full tells whether nothing more is to be read, although there is more, and notes that.
func (c *collector) full() bool {
	full := c.site.Files+c.site.Failed >= c.o.MaxFiles || len(c.site.Pages) >= c.o.MaxPages
	c.site.Cut = c.site.Cut || full
	return full
}

func (c *collector) enqueue(s step) {
	switch {
	case c.known[s.url]:
	case len(c.known) >= c.o.MaxFiles: // it would never be its turn
		c.site.Cut = true
	default:
		c.known[s.url] = true
		c.queue = append(c.queue, s)
	}
}

// read takes one file, or what can be read of it.
func (c *collector) read(ctx context.Context, s step) {
	f, err := c.file(ctx, s.url)
	if err == nil && len(f.Sitemaps) > 0 && s.indexes >= maxIndexes {
		err = fmt.Errorf("sitemap: %w: an index below %d others", ErrFormat, s.indexes)
		f.Sitemaps = nil
	}
	if err != nil && ctx.Err() == nil {
		c.site.Failed++
		c.o.OnError(s.url, err)
	} else {
		c.site.Files++
	}
	c.site.Bad += f.Bad
	slices.SortStableFunc(f.Sitemaps, newest)
	for _, e := range f.Sitemaps {
		if c.isOurs(e.URL, s.host) {
			c.enqueue(step{e.URL, s.host, s.indexes + 1})
		}
	}
	for _, e := range f.Pages {
		c.addPage(e, s.host)
	}
}

func (c *collector) file(ctx context.Context, url string) (File, error) {
	body, err := c.open(ctx, url)
	if err != nil {
		return File{}, err
	}
	defer body.Close()
	return Read(body)
}

func (c *collector) addPage(e Entry, host string) {
	switch {
	case !c.isOurs(e.URL, host) || c.pages[e.URL]:
	case len(c.site.Pages) >= c.o.MaxPages:
		c.site.Cut = true
	default:
		c.pages[e.URL] = true
		c.site.Pages = append(c.site.Pages, e)
	}
}

// isOurs tells whether an address is on host, and counts those that are not.
func (c *collector) isOurs(address, host string) bool {
	got, ok := hostOf(address)
	switch {
	case !ok:
		c.site.Bad++
	case got != host:
		c.site.Foreign++
	}
	return ok && got == host
}

// hostOf returns the host of an address of http or https, in one form.
func hostOf(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false
	}
	return normalHost(u.Scheme, u.Host), true
}

// normalHost is host in lower case, without the port that the scheme has anyway: the same site is
// often under both schemes.
func normalHost(scheme, host string) string {
	port := ":80"
	if scheme == "https" {
		port = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), port)
}
