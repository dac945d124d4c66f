// warm_list.go finds the pages that warm asks for: in its arguments, in a file, in sitemaps.

package main

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/larder-go/larder/internal/accesslog"
	"github.com/larder-go/larder/scrape/sitemap"
)

// pageList is what there is to ask for, each page once, the first first.
type pageList struct {
	site  *url.URL // of the only host that counts, or nil
	pages []wanted
	seen  map[string]bool

	foreign, bad, failed int
}

// wanted is a page to ask for, and how often a log has it.
type wanted struct {
	url      *url.URL
	requests int
}

// add takes a page, if it is one and its host counts.
func (l *pageList) add(address string, requests int) {
	u, err := pageURL(address)
	switch {
	case err != nil:
		l.bad++
	case l.site != nil && u.Host != l.site.Host:
		l.foreign++
	case !l.seen[u.String()]:
		l.seen[u.String()] = true
		l.pages = append(l.pages, wanted{u, requests})
	}
}

// list fills l: the arguments first, then the file, then the sitemaps.
func (w *warm) list(
	ctx context.Context, a *asker, stdin io.Reader, urls []string, l *pageList,
) error {
	given := pageList{seen: l.seen} // what is given by hand may be anywhere
	for _, address := range urls {
		given.add(address, 0)
	}
	l.pages = given.pages
	if w.from != "" {
		_, err := await(ctx, func() (any, error) { return nil, w.readFile(stdin, l) })
		if err != nil {
			return fromTrouble(w.from, err)
		}
	}
	sitemaps := w.sitemaps
	if len(sitemaps) == 0 && w.from == "" && w.siteURL != nil {
		sitemaps = a.sitemapsOf(ctx, w)
	}
	if len(sitemaps) == 0 {
		return ctx.Err()
	}
	return w.readSitemaps(ctx, a, sitemaps, l)
}

// sitemapsOf returns where the sitemaps of the site are: where its robots.txt says, or in the usual
// place.
func (a *asker) sitemapsOf(ctx context.Context, w *warm) (found []string) {
	robots, err := a.robotsOf(ctx, w.siteURL)
	if err != nil && ctx.Err() == nil {
		w.g.say("warm: %s/robots.txt: %s", originOfPage(w.siteURL), warmTrouble(err))
	}
	if robots != nil {
		for _, address := range robots.Sitemaps() {
			if u, err := w.siteURL.Parse(address); err == nil {
				found = append(found, u.String())
			}
		}
	}
	if len(found) == 0 {
		found = []string{originOfPage(w.siteURL) + "/sitemap.xml"}
	}
	return found
}

func (w *warm) readSitemaps(ctx context.Context, a *asker, roots []string, l *pageList) error {
	o := sitemap.Options{OnError: w.complain}
	if w.siteURL != nil {
		o.Host = w.siteURL.Host
	}
	progress := newProgress(w.g)
	defer progress.end()
	open := func(ctx context.Context, address string) (io.ReadCloser, error) {
		progress.line("reading " + oneLine(address))
		return a.open(ctx, address)
	}
	found, err := sitemap.Collect(ctx, open, roots, o)
	if err != nil {
		return err
	}
	if found.Cut {
		w.g.say("warm: there is more than is read: stopped after %s in %s",
			formatNumbers(len(found.Pages), "page", "pages"),
			formatNumbers(found.Files+found.Failed, "sitemap", "sitemaps"))
	}
	l.failed += found.Failed
	l.foreign += found.Foreign
	l.bad += found.Bad
	for _, page := range found.Pages {
		l.add(page.URL, 0)
	}
	return nil
}

// readFile reads the file of --from: URLs, or a log, or both.
func (w *warm) readFile(stdin io.Reader, l *pageList) error {
	in := stdin
	if w.from != "-" {
		f, err := os.Open(w.from)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	plain, err := withoutGzip(in)
	if err != nil {
		return err
	}
	log := warmLog{pageList: l}
	var unread error
	for line := range lines(plain, &unread) {
		log.take(line)
	}
	if log.homeless > 0 && w.siteURL == nil {
		return errHomeless
	}
	for _, hot := range log.heat.Hottest() {
		l.add(hot.URL, hot.Requests)
	}
	return unread
}

// errHomeless is returned for a log of which nobody knows whose it is.
var errHomeless = errors.New("the log does not say of which host it is: give --site")

// fromTrouble names the file that an error is about.
func fromTrouble(path string, err error) error {
	var open *os.PathError
	switch {
	case errors.Is(err, errHomeless):
		return usagef("warm: --from %s: %w", traceName(path), err)
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &open):
		return fmt.Errorf("warm: --from: %w", err) // names the path
	}
	return fmt.Errorf("warm: --from %s: %w", traceName(path), err)
}

// withoutGzip returns what in holds, unpacked if it is packed.
func withoutGzip(in io.Reader) (io.Reader, error) {
	b := bufio.NewReader(in)
	if head, _ := b.Peek(2); string(head) != "\x1f\x8b" {
		return b, nil
	}
	return gzip.NewReader(b)
}

// warmLog takes the lines of a file.
type warmLog struct {
	*pageList
	heat     accesslog.Heat
	homeless int // lines without a host, although none is known
}

// take reads a line: a URL is asked for in its turn, a request in a log by its heat.
func (l *warmLog) take(line string) {
	if strings.HasPrefix(line, "http://") || strings.HasPrefix(line, "https://") {
		l.add(line, 0)
		return
	}
	e, err := accesslog.Parse(line)
	if err != nil {
		l.bad++
		return
	}
	if e.Method == http.MethodGet &&
		(e.Status == http.StatusOK || e.Status == http.StatusNotModified) {
		l.heatUp(e)
	}
}

// heatUp counts a request that is worth to be asked again.
func (l *warmLog) heatUp(e accesslog.Entry) {
	scheme, host := cmp.Or(e.Scheme, "https"), e.Host
	switch {
	case l.site == nil && host == "":
		l.homeless++
		return
	case l.site != nil && (host == "" || host == l.site.Host):
		scheme, host = l.site.Scheme, l.site.Host // also where TLS ended before the server
	}
	l.heat.Add(scheme+"://"+host+e.Target, e.Time)
}

// originOfPage returns scheme, host and port.
func originOfPage(u *url.URL) string { return u.Scheme + "://" + u.Host }
