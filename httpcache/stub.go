// stub.go stands in for what is not built yet.

package httpcache

import (
	"context"
	"net/http"
	"net/http/httputil"
)

// Cache is a shared HTTP cache (RFC 9111). It is safe for concurrent use. Close it.
type Cache struct{ o Options }

// New returns an empty cache. It panics if o makes no sense.
func New(o Options) *Cache { return &Cache{o: o} }

// Close ends what runs in the background, waits for it, and drops what is in memory. What handlers
// of the cache are asked afterwards is answered by the origin. It may be called twice.
func (c *Cache) Close() error { return nil }

// Middleware returns a handler that caches what next answers.
func (c *Cache) Middleware(next http.Handler, v View) http.Handler { return next }

// Proxy returns a handler that asks an origin and caches what it answers. It panics if o.URL is
// not the URL of an http or https server.
func (c *Cache) Proxy(o Origin) http.Handler { return httputil.NewSingleHostReverseProxy(o.URL) }

// Purge makes what p names leave and returns how many responses it were, as far as that is known.
// An error means that the store may still have some; memory does not.
func (c *Cache) Purge(ctx context.Context, p Purge) (int, error) { return 0, nil }

// Stats is what a cache counted since it began.
type Stats struct {
	Entries  int    // responses in memory
	Weight   int64  // of them, in bytes
	Hits     uint64 // answered from memory or store, fresh
	Stale    uint64 // answered from there although no longer fresh
	Misses   uint64 // answered by the origin
	Shared   uint64 // of the misses, answered by a response that another request had asked for
	Bypassed uint64 // answered by the origin, since no cache may
	Checked  uint64 // answered from the cache after the origin said that it still holds
	Failed   uint64 // answered with an error of ours, since the origin failed
}

// Stats returns what was counted.
func (c *Cache) Stats() Stats { return Stats{} }

// Track returns a context for a request to a handler of a Cache, and where that writes how the
// request was answered. It may be read when the handler has returned.
func Track(ctx context.Context) (context.Context, *Result) { return ctx, &Result{} }
