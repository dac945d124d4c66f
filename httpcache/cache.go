// cache.go holds the shared cache behind Middleware and Proxy: its options, its beginning, its end.

package httpcache

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// Options say what a [Cache] keeps and how. The zero value keeps 256 MiB in memory.
type Options struct {
	// Name is what the cache calls itself in Cache-Status and Via; "" means larder. It must be a
	// token (RFC 9110, section 5.6.2).
	Name string
	// Memory bounds what is kept in memory, in bytes: headers, bodies, keys and an estimate of what
	// holds them. Bodies that arrive take up to a quarter of that besides, and files beyond. 0 means
	// 256 MiB.
	Memory int64
	// Store is a second level behind memory: a folder on disk, a Redis that several nodes share. What
	// others change there leaves memory too, if the store can tell. nil means memory alone. The cache
	// does not close it. A store that may hang belongs behind a store.Guard.
	Store store.Store
	// MaxBody is the largest body kept, in bytes; 0 means 64 MiB. Without Store it is at most an
	// eighth of Memory; with it, bodies over 16 MiB or that eighth are in the store alone.
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
	// Observe lets the cache look at some of its own requests, so that Curve and Inspector have
	// answers; see larder.Options.
	Observe bool
	// OnError hears of errors of the store and damaged responses, none of which fail a request, and
	// of origins that failed one. Several goroutines may call it at once. nil means that nobody wants
	// to know.
	OnError func(error)
}

// heldShare of the memory is what one body may take of it.
const heldShare = 8

// largestHeld is the largest body that is kept in memory where there is a store for it, in bytes.
const largestHeld = 16 << 20

// held is the largest body that is kept in memory.
func (o Options) held() int64 {
	if o.Store == nil {
		return o.MaxBody
	}
	return min(o.Memory/heldShare, o.MaxBody, largestHeld)
}

// withDefaults fills in what is not said. It panics if what is said makes no sense.
func (o Options) withDefaults() Options {
	if o.Memory < 0 || o.MaxBody < 0 || o.StaleIfError < 0 || o.FillTimeout < 0 {
		panic(fmt.Sprintf("httpcache: negative option in %+v", o))
	}
	o.Name = cmp.Or(o.Name, "larder")
	if !isSFToken(o.Name) {
		panic(fmt.Sprintf("httpcache: Name %q is no token", o.Name))
	}
	o.Memory = cmp.Or(o.Memory, 256<<20)
	o.MaxBody = cmp.Or(o.MaxBody, 64<<20)
	o.FillTimeout = cmp.Or(o.FillTimeout, time.Minute)
	if o.Store == nil {
		o.MaxBody = min(o.MaxBody, o.Memory/heldShare)
	}
	if o.Tags == nil {
		o.Tags = []string{"Surrogate-Key", "Cache-Tag", "Xkey"}
	}
	if o.Targets == nil {
		o.Targets = []string{"Cdn-Cache-Control"}
	}
	return o
}

// Cache is a shared HTTP cache (RFC 9111): [Cache.Middleware] puts it before a handler,
// [Cache.Proxy] before an origin. Responses are kept in memory and, if there is one, in a store.
// It is safe for concurrent use. Close it.
//
//   - Requests for the same that miss at once become one load, whose body goes to all of them as it
//     arrives. A client that leaves does not stop it.
//   - A store that fails never fails a request: the origin answers instead.
type Cache struct {
	o        Options
	engine   engine
	flights  flights
	privacy  *larder.Cache[string, reason] // what was not storable of late, by key of its flight
	spools   atomic.Int64                  // bytes that bodies may yet take while they arrive
	searches searches
	counts   counts
	loading  atomic.Int64    // loads under way
	running  sync.WaitGroup  // of loads and encoders
	encoding chan struct{}   // has room for those that may run at once
	ctx      context.Context // ends with the cache, and with it all loads
	end      context.CancelFunc
	closed   atomic.Bool // written under mu
	unwatch  func()

	mu     sync.Mutex          // guards the field below, and that nothing begins after Close
	scoped bool                // a view has scopes, languages or fields in its keys
	views  map[string]*handler // one of each way to make a key of a URL
}

// New returns an empty cache. It panics if o makes no sense.
func New(o Options) *Cache {
	o = o.withDefaults()
	c := &Cache{o: o, privacy: larder.New(larder.Options[string, reason]{TTL: privateFor})}
	c.searches = newSearches()
	c.encoding = make(chan struct{}, encoders())
	c.spools.Store(o.Memory / 4)
	c.engine = engine{
		memory: larder.New(larder.Options[string, *object]{
			Name: o.Name, MaxWeight: o.Memory, Weigh: weight, Observe: o.Observe,
		}),
		store: o.Store, maxBody: o.MaxBody, onError: o.OnError, purges: &purges{}, heard: &purges{},
		held: o.held(), tally: newTally(o.Observe),
		rules: rules{
			shared: true, targets: o.Targets, tagFields: o.Tags, onError: o.StaleIfError,
		},
	}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.unwatch = func() {}
	if o.Store != nil {
		c.unwatch = store.Watch(o.Store, c.hear)
	}
	return c
}

// Close ends what runs in the background, waits for it, and drops what is in memory. What handlers
// of the cache are asked afterwards is answered by the origin. It may be called twice.
func (c *Cache) Close() error {
	c.mu.Lock()
	closed := c.closed.Swap(true)
	c.mu.Unlock()
	if closed {
		return nil
	}
	c.unwatch()
	c.end()
	c.running.Wait()
	c.privacy.Close()
	c.searches.by.Close()
	return c.engine.memory.Close()
}

// hasScopes reports whether any key of the cache has more than a URL.
func (c *Cache) hasScopes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.scoped
}

// start runs f in the background, unless the cache is closed.
func (c *Cache) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed.Load() {
		return false
	}
	c.running.Go(f)
	return true
}

// hear takes out of memory what others have changed in the store.
func (c *Cache) hear(e store.Event) {
	ctx, log := context.Background(), c.engine.heard
	switch e.Kind {
	case store.Changed:
		log.note(purged{key: e.Key})
		c.engine.forgetMemory(e.Key)
	case store.TagDeleted:
		log.note(purged{tag: e.Tag})
		c.engine.note(c.engine.memory.DeleteTag(ctx, e.Tag))
	case store.Linked, store.Cleared:
		log.note(purged{})
		c.engine.note(c.engine.memory.Clear(ctx))
	}
}

// privateFor is how long it is remembered that a response was for one client alone.
const privateFor = time.Minute

// private notes that requests for a key need not wait for each other, since the response was not
// storable.
func (c *Cache) private(key string, why reason) {
	switch why {
	case becauseNoStore, becausePrivate, becauseAuthorization, becauseSetCookie, becauseCookie,
		becauseVaryStar, becauseStream, becauseUseless, becauseUnpermitted, becauseTooLarge:
	default:
		return
	}
	c.engine.note(c.privacy.Set(context.Background(), digest(key), why))
}

// notPrivate notes that a response to a key was storable.
func (c *Cache) notPrivate(key string) {
	if c.isPrivate(key) {
		c.engine.note(c.privacy.Delete(context.Background(), digest(key)))
	}
}

// isPrivate reports whether the last response to be loaded for a key was not storable.
func (c *Cache) isPrivate(key string) bool {
	_, ok := c.privacy.Lookup(digest(key))
	return ok
}

// digest is short for a key.
func digest(key string) string {
	sum := sha256.Sum256([]byte(key))
	return string(sum[:16])
}

// newSpool returns the spool of a body of want bytes, or -1.
func (c *Cache) newSpool(want int64) *spool {
	s := &spool{
		dir: c.o.Spool, memory: c.engine.held, window: max(c.o.MaxBody, c.engine.held),
		patience: c.o.FillTimeout, budget: &c.spools, readers: map[*spoolReader]struct{}{},
	}
	s.allot(want)
	return s
}
