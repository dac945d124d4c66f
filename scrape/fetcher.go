// fetcher.go is the face: options, one page, and the redirects on the way to it.

// Package scrape fetches pages politely through an HTTP cache.
//
// A [Fetcher] answers from its store what is fresh there. What must go to the network is slowed
// to the pace of its host, asked for by the rules of its robots.txt, tried again when the host is
// busy, kept out of private networks, bounded in size and time, and kept without cookies. The rest
// of the package reads what was fetched: [Titles], [Select], [Page.UTF8].
//
// It runs no scripts, logs in nowhere, and offers no way around robots.txt.
package scrape

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/larder-go/larder/httpcache"
	"github.com/larder-go/larder/store"
)

// DefaultUserAgent is what a Fetcher calls itself; robots.txt knows it as larder.
const DefaultUserAgent = "larder/1 (+https://github.com/larder-go/larder)"

// maxRedirects is how many redirects of one page are followed.
const maxRedirects = 10

// Options configure [New]; the zero value works.
type Options struct {
	// Name says in a Snapshot which Fetcher it is; "" means "scrape".
	Name string
	// Store keeps pages and robots.txt. Nil means 64 MiB in the memory of the process. The Fetcher
	// does not close it.
	Store store.Store
	// TTL is how long a page is served without asking for it again, whatever its headers say of
	// that; 0 means 15 minutes. A page that says no-store is not kept at all.
	TTL time.Duration
	// Rate is how many requests a second each host gets at most; 0 means no limit of our own. A
	// Crawl-delay in robots.txt, up to 30 s, is kept in any case.
	Rate float64
	// Jobs is how many requests are in flight at once; 0 means 8.
	Jobs int
	// PerHost is how many of them may go to one host; 0 means 2 where Rate is set, else Jobs.
	PerHost int
	// UserAgent is sent with each request; up to its first slash or space it is the name that
	// robots.txt is asked about. Empty means [DefaultUserAgent].
	UserAgent string
	// AllowPrivate admits hosts in private networks and on this machine, and the proxy that
	// HTTP_PROXY and HTTPS_PROXY name. Behind a proxy nobody here sees which address is dialled.
	AllowPrivate bool
	// MaxBody is the most bytes of a page, counted after decompression; 0 means 10 MiB, and more
	// than 2 GiB means 2 GiB. A page is held in memory.
	MaxBody int64
	// Timeout bounds each request from dialling to the last byte, not the waits before it; 0 means
	// 30 seconds.
	Timeout time.Duration
	// MaxWait is the longest pause that a host may ask for by Retry-After; 0 means a minute. If it
	// asks for more, its pages fail with [ErrBusy].
	MaxWait time.Duration
	// Retries is how often a request is sent again after 429, 502, 503, 504 or a temporary network
	// error; 0 means 3, negative means never.
	Retries int
	// Offline answers from the store alone, with what is stale there too unless it forbids that.
	Offline bool
	// Notice, if set, is told what a user may want to know: pauses, delays, downgrades. It may be
	// called from several goroutines at once and should return soon.
	Notice func(string)
	// OnStoreError, if set, is told each error of the store, in the way of Notice: none fails a page,
	// but what cannot be kept is fetched again. Nil means that Notice is told.
	OnStoreError func(error)
	// Transport is the way to the network; nil means a way that refuses private addresses unless
	// AllowPrivate is set. Whoever sets it answers for the addresses that host names lead to.
	Transport http.RoundTripper
}

// Fetcher fetches pages. All methods are safe for concurrent use. It must be closed.
type Fetcher struct {
	o     Options
	cache http.RoundTripper
	wire  *wire
	count requests
	close func() error
}

// New returns a Fetcher. It opens nothing and starts nothing before the first request needs it. It
// panics if a number in o is negative, Retries aside.
func New(o Options) *Fetcher {
	if o.TTL < 0 || o.Rate < 0 || o.Jobs < 0 || o.PerHost < 0 || o.MaxBody < 0 ||
		o.Timeout < 0 || o.MaxWait < 0 {
		panic("scrape: negative option")
	}
	f := &Fetcher{o: o.withDefaults()}
	shared := f.o.Store
	if shared == nil {
		shared = store.NewMemory(store.MemoryOptions{})
	}
	f.wire = newWire(&f.o, shared)
	f.cache = &httpcache.Transport{
		Base: f.wire, Store: shared, TTL: f.o.TTL, MaxBody: f.o.MaxBody,
		OnError: f.o.OnStoreError,
	}
	f.close = sync.OnceValue(func() error {
		if t, ok := f.wire.base.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
		if f.o.Store == nil {
			return shared.Close()
		}
		return nil
	})
	return f
}

// Close closes idle connections. No Fetch may run or follow. It may be called twice.
func (f *Fetcher) Close() error { return f.close() }

func (o Options) withDefaults() Options {
	o.Name = or(o.Name, "scrape")
	o.TTL = or(o.TTL, 15*time.Minute)
	o.Jobs = or(o.Jobs, 8)
	if o.Rate > 0 {
		o.PerHost = or(o.PerHost, 2)
	}
	o.PerHost = or(o.PerHost, o.Jobs)
	o.UserAgent = or(o.UserAgent, DefaultUserAgent)
	o.MaxBody = min(or(o.MaxBody, 10<<20), math.MaxInt32)
	o.Timeout = or(o.Timeout, 30*time.Second)
	o.MaxWait = or(o.MaxWait, time.Minute)
	o.Retries = max(0, or(o.Retries, 3))
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.OnStoreError == nil {
		o.OnStoreError = func(err error) { o.Notice(err.Error()) }
	}
	return o
}

// or returns v, or what stands for its zero value.
func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

func newWire(o *Options, s store.Store) *wire {
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	base := o.Transport
	if base == nil {
		base = defaultTransport(o.AllowPrivate)
	}
	return &wire{
		o: o, base: base, store: s, jobs: make(chan struct{}, o.Jobs),
		hosts: hosts{limit: limit, perHost: o.PerHost, maxWait: o.MaxWait,
			byOrigin: map[string]*host{}},
	}
}

func defaultTransport(allowPrivate bool) http.RoundTripper {
	var refuse func(netip.Addr) error
	if !allowPrivate {
		refuse = refusePrivate
	}
	return newTransport(refuse)
}

// Fetch returns the page at url after at most ten redirects: from the store while it is fresh
// there, else from its host. A page that ends in another status than 2xx is a [*StatusError]; the
// other errors wrap one of the Err values of this package, that of ctx, or that of the network.
func (f *Fetcher) Fetch(ctx context.Context, url string) (*Page, error) {
	u, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	ctx, t := withTally(ctx)
	seen := map[string]bool{}
	for range maxRedirects + 1 {
		seen[u.String()] = true
		page, next, err := f.hop(ctx, u)
		if err != nil {
			return nil, err
		}
		if next == nil {
			page.URL, page.Requests = url, int(t.Load())
			return page, nil
		}
		if seen[next.String()] {
			return nil, failed(next.String(), fmt.Errorf(
				"%w: it comes back to itself (it may want a cookie, and none is kept)", ErrRedirect))
		}
		f.noteDowngrade(u, next)
		u = next
	}
	return nil, failed(url, fmt.Errorf("%w: more than %d times", ErrRedirect, maxRedirects))
}

// hop asks for one address through the cache. It returns a page, or where to look for it.
func (f *Fetcher) hop(ctx context.Context, u *url.URL) (*Page, *url.URL, error) {
	res, body, err := f.get(ctx, u)
	f.count.answer(httpcache.ResultOf(res).Outcome, err)
	if err != nil {
		return nil, nil, failed(u.String(), err)
	}
	if next, err := redirectOf(res, u); next != nil || err != nil {
		return nil, next, err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, nil, &StatusError{Status: res.StatusCode, URL: u.String()}
	}
	return newPage(res, u, body, time.Now()), nil, nil
}

// get asks the cache for one address. The body of the response has been read and closed.
func (f *Fetcher) get(ctx context.Context, u *url.URL) (*http.Response, []byte, error) {
	req, err := f.o.request(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	if f.o.Offline {
		req.Header.Set("Cache-Control", "only-if-cached, max-stale")
	}
	res, err := f.cache.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	if f.o.Offline && res.StatusCode == http.StatusGatewayTimeout {
		return nil, nil, ErrNotCached
	}
	body, err := f.read(res)
	return res, body, err
}

// read returns the whole body, which the cache bounds too; a store is not trusted.
func (f *Fetcher) read(res *http.Response) ([]byte, error) {
	body, err := f.wire.readWhole(res)
	if err != nil && !errors.Is(err, ErrBodyTooLarge) {
		err = fmt.Errorf("read body: %w", err)
	}
	return body, err
}

// request is how the Fetcher asks for u.
func (o *Options) request(ctx context.Context, u *url.URL) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed", ErrURL)
	}
	req.Header.Set("User-Agent", o.UserAgent)
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return req, nil
}

// redirectOf returns where a response sends its reader; nil if nowhere.
func redirectOf(res *http.Response, from *url.URL) (*url.URL, error) {
	switch res.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := from.Parse(res.Header.Get("Location"))
	if err != nil || res.Header.Get("Location") == "" {
		return nil, failed(from.String(), fmt.Errorf("%w: %d without a valid Location",
			ErrRedirect, res.StatusCode))
	}
	return parseURL(to.String())
}

// noteDowngrade announces a redirect from https to http. It is followed: we send no secret.
func (f *Fetcher) noteDowngrade(from, to *url.URL) {
	if from.Scheme == "https" && to.Scheme == "http" {
		f.o.Notice(fmt.Sprintf("%s redirects to %s, which is not encrypted", from, to))
	}
}
