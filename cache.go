// cache.go is the cache in memory as its users see it.

package larder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
)

// ErrRefused is returned, wrapped with the reason, for an entry that cannot be kept: it is heavier
// than MaxWeight, its key does not equal itself (a NaN is in it), or the cache is closed.
var ErrRefused = errors.New("larder: entry refused")

// Cache keeps values by key in memory, within a bound that holds at every moment, and loads what is
// not there: from a store that processes share, if it has one, or from the origin. All its methods
// may be called by many goroutines at once. Values are shared: whoever changes what a value leads
// to changes it for all.
//
// In one process there should be one cache of a name on a handle of a store: a handle does not tell
// of what was done by itself.
type Cache[K comparable, V any] struct {
	engine *engine[K, V]
	calls  calls[K, V]
	tier   *tier[K, V] // nil without a store
	behind *behind[K, V]
	names  names[K]
	loaded loaded
	counts counts
	simple bool // Set concerns memory alone

	doubts     atomic.Int64  // how often what memory held was distrusted
	lost       atomic.Int32  // links over which nothing is heard
	linked     chan struct{} // closed by linkedOnce when for the first time there are none
	linkedOnce sync.Once
	stops      []func() // end the listening
	open       context.Context
	close      context.CancelFunc
}

// New makes a cache. It panics on options that make no sense. It starts no goroutine, unless a
// store has to be listened to: Close ends that.
func New[K comparable, V any](o Options[K, V]) *Cache[K, V] {
	o = o.complete().withLog()
	c := &Cache[K, V]{engine: newEngine(o), names: namesOf(o.Key)}
	c.open, c.close = context.WithCancel(context.Background())
	c.tier = newTier(o, c.report)
	c.behind = newBehind(o.WriteBehind, o.LoadTimeout, c.report, c.giveUp)
	c.simple = c.tier == nil && o.Watch == nil && o.Write == nil && c.behind == nil &&
		c.engine.rules.trivial() && o.Reload == nil && o.Jitter == 0
	c.linked = make(chan struct{})
	c.watch()
	return c
}

// Memoize makes a cache of what f returns: Get calls f for an argument that is not there. It is New
// with f as the loader, whose types need not be written twice.
func Memoize[K comparable, V any](
	f func(context.Context, K) (V, error), o Options[K, V],
) *Cache[K, V] {
	o.Load = f
	return New(o)
}

// giveUp forgets a value that the origin will never have. It does not take the turn of the key: who
// has it may wait for room in the queue.
func (c *Cache[K, V]) giveUp(key K) {
	c.calls.drop(key)
	gone, _ := c.engine.take(key)
	c.tellBehind(gone)
	if c.tier == nil {
		return
	}
	if name, err := c.tier.name(&c.names, key); err == nil {
		c.tier.owed.add(name)
		c.tier.owed.pay()
	}
}

// report passes an error on that no caller gets. A panic of who hears it would leave others waiting.
func (c *Cache[K, V]) report(err error) {
	defer func() { _ = recover() }()
	o := &c.engine.options
	if errors.Is(err, errElsewhere) {
		return
	}
	if o.Log != nil {
		o.Log.Warn("trouble", "cache", o.Name, "error", err)
	}
	if o.OnError != nil {
		o.OnError(fmt.Errorf("larder: %s: %w", o.Name, err))
	}
}

// Lookup returns the value of key if it is in memory and may be served, fresh or stale. It loads
// and refreshes nothing and takes no lock.
func (c *Cache[K, V]) Lookup(key K) (V, bool) { return c.engine.lookup(key) }

// All visits the entries that have not expired, in no order. One that comes or goes meanwhile may
// be among them or not. The cache may be changed on the way.
func (c *Cache[K, V]) All() iter.Seq2[K, V] { return c.engine.all() }

// Len returns how many entries are kept, at most MaxEntries. Those that have expired count until
// their room is given back, which is some milliseconds later, at most two seconds.
func (c *Cache[K, V]) Len() int { return int(c.engine.count.Load()) }

// Weight returns the sum of the entries' weights, at most MaxWeight; where entries are counted it
// is their number.
func (c *Cache[K, V]) Weight() int64 { return c.engine.total() }

// Resize sets another bound, MaxEntries or MaxWeight, whichever the cache has, and evicts what is
// too much. It must be at least 1.
func (c *Cache[K, V]) Resize(max int64) {
	if max < 1 {
		panic("larder: Resize: the bound must be at least 1")
	}
	c.engine.resize(uint64(max))
}

// Close takes all entries out of memory, and stops what would have expired them, the listening to
// others, and refreshes that have not begun. It waits until all that was to be written behind is
// written, or was given up, and returns ErrLost if something ever was; to wait for no longer than a
// context, Flush first. A closed cache stays empty: Set
// refuses, Get loads and keeps nothing. It may be called again. The store stays open: it is the
// caller's.
func (c *Cache[K, V]) Close() error {
	err := c.behind.close()
	c.close()
	for _, stop := range c.stops {
		stop()
	}
	if c.tier != nil {
		c.tier.owed.close()
		c.tier.unsaid.close()
	}
	c.calls.dropAll()
	c.engine.close()
	return err
}
