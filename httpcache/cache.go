// cache.go holds the shared cache behind Middleware and Proxy: its options, its beginning, its end.

package httpcache

import (
	"time"

	"github.com/larder-go/larder/store"
)

// Options say what a [Cache] keeps and how. The zero value keeps 256 MiB in memory.
type Options struct {
	// Name is what the cache calls itself in Cache-Status and Via; "" means larder. It must be a
	// token (RFC 9110, section 5.6.2).
	Name string
	// Memory bounds what is kept in memory, in bytes: headers, bodies, keys and an estimate of what
	// holds them. 0 means 256 MiB.
	Memory int64
	// Store is a second level behind memory: a folder on disk, a Redis that several nodes share. What
	// others change there leaves memory too, if the store can tell. nil means memory alone. The cache
	// does not close it.
	Store store.Store
	// MaxBody is the largest body kept, in bytes; 0 means 64 MiB. Without Store it is at most an
	// eighth of Memory.
	MaxBody int64
	// Spool is the folder for what does not fit into memory while it arrives, in files without a
	// name. "" means os.TempDir.
	Spool string
	// StaleIfError is how long after its freshness a response may stand in for an origin that fails,
	// where it does not say itself (RFC 9111, section 4.2.4). 0 means not at all. What says
	// must-revalidate, proxy-revalidate, no-cache or s-maxage is never served stale.
	StaleIfError time.Duration
	// FillTimeout bounds the time from a request to the origin to the header of its response, and
	// the silence between two pieces of its body. 0 means one minute.
	FillTimeout time.Duration
	// Tags are the names of response fields that list surrogate keys, separated by spaces or commas.
	// nil means Surrogate-Key, Cache-Tag and Xkey.
	Tags []string
	// Targets are the targeted Cache-Control fields that are for this cache, the most important
	// first (RFC 9213). nil means CDN-Cache-Control.
	Targets []string
	// Encodings are the content codings in which text is kept beside the form the origin sent, most
	// wanted first: "zstd", "br", "gzip". nil means none: bodies are kept as they came.
	Encodings []string
	// OnError hears of errors of the store and damaged responses, none of which fail a request.
	// Several goroutines may call it at once. nil means that nobody wants to know.
	OnError func(error)
}
