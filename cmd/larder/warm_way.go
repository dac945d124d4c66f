// warm_way.go is the way of warm to the hosts or to the cache, its pace, and the files on it.

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/larder-go/larder/scrape"
)

// transport returns the way to the hosts, or to the cache alone.
func (w *warm) transport() http.RoundTripper {
	t := scrape.PublicTransport()
	switch {
	case w.throughURL != nil:
		t = &http.Transport{
			DialContext:            dialAlways(w.throughURL),
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 256 << 10,
		}
	case w.allowPrivate:
		t = http.DefaultTransport.(*http.Transport).Clone()
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, w.jobs
	if w.throughURL != nil {
		return through{t, w.throughURL.Scheme}
	}
	return t
}

// dialAlways returns what connects to the host of to, whichever was asked for.
func dialAlways(to *url.URL) func(ctx context.Context, network, _ string) (net.Conn, error) {
	port := to.Port()
	if port == "" {
		port = to.Scheme // the net package knows it by name
	}
	address := net.JoinHostPort(to.Hostname(), port)
	d := &net.Dialer{Timeout: 10 * time.Second}
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, address)
	}
}

// through speaks the scheme of the cache instead of that of the URL. Host, and the name that TLS
// checks, stay those of the URL.
type through struct {
	way    *http.Transport
	scheme string
}

// RoundTrip implements [http.RoundTripper].
func (t through) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == t.scheme {
		return t.way.RoundTrip(req)
	}
	sent := req.Clone(req.Context())
	sent.URL.Scheme = t.scheme
	return t.way.RoundTrip(sent)
}

// CloseIdleConnections is what [http.Client] calls.
func (t through) CloseIdleConnections() { t.way.CloseIdleConnections() }

// open returns the body of a sitemap.
func (a *asker) open(ctx context.Context, address string) (io.ReadCloser, error) {
	u, err := pageURL(address)
	if err != nil {
		return nil, err
	}
	res, err := a.file(ctx, u)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, errors.New(statusText(res.StatusCode))
	}
	return res.Body, nil
}

// file asks for something else than a page: with the fields that the user gave only where it is on
// the host of the site, as they may hold a password.
func (a *asker) file(ctx context.Context, u *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", a.w.userAgent())
	if site := a.w.siteURL; site != nil && site.Host == u.Host {
		req.Header = a.w.variants[0].Clone()
		req.Header.Del("Accept-Encoding") // net/http asks for gzip, and unpacks it
	}
	if err := a.turns.wait(ctx, u.Host, a.w.pause(0)); err != nil {
		return nil, err
	}
	return a.files.Do(req)
}

// readRobots reads a robots.txt. One that is not there allows everything (RFC 9309 section
// 2.3.1.3).
func (a *asker) readRobots(ctx context.Context, address string) (*scrape.Robots, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	res, err := a.file(ctx, u)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	switch status := res.StatusCode; {
	case status == http.StatusOK:
		text, err := io.ReadAll(io.LimitReader(res.Body, maxRobotsBytes))
		return scrape.ParseRobots(text), err
	case status >= 400 && status < 500 && status != http.StatusTooManyRequests:
		return &scrape.Robots{}, nil
	}
	return nil, errors.New(statusText(res.StatusCode))
}

func (w *warm) userAgent() string { return w.variants[0].Get("User-Agent") }

// pause is the time between two requests to a host that asks for delay.
func (w *warm) pause(delay time.Duration) time.Duration {
	every := time.Duration(0)
	if w.rate > 0 {
		every = time.Duration(float64(time.Second) / w.rate)
	}
	return max(every, min(delay, maxCrawlDelay))
}

// robotsOf returns the rules of the host of u, which is asked for them once.
func (a *asker) robotsOf(ctx context.Context, u *url.URL) (*scrape.Robots, error) {
	return a.robots.get(originOfPage(u), func() (*scrape.Robots, error) {
		return a.readRobots(ctx, originOfPage(u)+"/robots.txt")
	})
}

// turns makes requests to one host follow each other slowly. The zero value is ready.
type turns struct {
	mu   sync.Mutex // guards the field below
	next map[string]time.Time
}

// wait waits for the turn of a request to host, every so often at most.
func (t *turns) wait(ctx context.Context, host string, every time.Duration) error {
	for {
		left := t.take(host, every)
		if left <= 0 {
			return ctx.Err()
		}
		select {
		case <-time.After(left):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take takes the turn if there is one now, or returns how long to wait before asking again.
func (t *turns) take(host string, every time.Duration) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if left := t.next[host].Sub(now); left > 0 {
		return left
	}
	if t.next == nil {
		t.next = map[string]time.Time{}
	}
	t.next[host] = now.Add(every)
	return 0
}

// pause makes all requests to host wait.
func (t *turns) pause(host string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.next[host]) {
		t.next[host] = until
	}
}

// onceEach finds a value for each key once. The zero value is empty.
type onceEach[V any] struct {
	mu    sync.Mutex // guards the field below
	found map[string]func() (V, error)
}

func (o *onceEach[V]) get(key string, find func() (V, error)) (V, error) {
	o.mu.Lock()
	once, ok := o.found[key]
	if !ok {
		once = sync.OnceValues(find)
		if o.found == nil {
			o.found = map[string]func() (V, error){}
		}
		o.found[key] = once
	}
	o.mu.Unlock()
	return once()
}
