// host_test.go is a cache that tells an observer what happens in it.

package shadow_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/policy"
)

// nobody is what a host has for a mask while nobody listens.
const nobody = math.MaxUint64

// host is a cache without values that is observed. One goroutine at a time may ask; the observer may
// do so at any time.
type host struct {
	*cache
	observer *shadow.Observer
	works    func() // called whenever events are worked off; nil: nothing

	served, missed atomic.Uint64
	mask           atomic.Uint64

	mu       sync.Mutex // guards the fields below
	since    time.Time
	listened time.Duration // until since
	some     bool
}

// newHost returns the host of a cache of max entries, which live so long.
func newHost(p policy.Named, max int, life, idle time.Duration) *host {
	h := &host{cache: newCache(p.New, uint64(max)), since: time.Now()}
	h.observer = shadow.NewObserver(shadow.Host{
		Cache: shadow.Cache{Policy: p.Name, New: p.New, Max: uint64(max), Entries: uint64(max)},
		Life:  life, Idle: idle, Totals: h.totals, Shape: h.shape, Listens: h.listens,
	}, 4)
	return h
}

func (h *host) totals() (hits, misses uint64) { return h.served.Load(), h.missed.Load() }

func (h *host) shape() (max, used, count uint64) {
	if h.works != nil {
		h.works()
	}
	return h.cache.max, h.cache.max, h.cache.max
}

func (h *host) listens(mask uint32, some bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.some {
		h.listened += time.Since(h.since)
	}
	h.since, h.some = time.Now(), some
	h.mask.Store(nobody)
	if some {
		h.mask.Store(uint64(mask))
	}
}

// listening returns for how long somebody has listened.
func (h *host) listening() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.some {
		return h.listened + time.Since(h.since)
	}
	return h.listened
}

// get asks for a key, and tells of it.
func (h *host) get(hash uint32) {
	if h.ask(hash, 1) {
		h.hit(hash)
		return
	}
	h.missed.Add(1)
	h.observer.Miss(0, hash, h.observer.Why(hash))
	h.observer.Put(hash, 1, shadow.Loaded)
}

func (h *host) hit(hash uint32) {
	h.served.Add(1)
	if uint64(hash)&h.mask.Load() == 0 {
		h.observer.Hit(0, hash)
	}
}

// getAll asks for keys, with a look at the curve now and then so that no event waits for long.
func (h *host) getAll(keys []uint32, seed uint64) {
	for i, k := range keys {
		if h.get(hashOf(seed, k)); i%1000 == 0 {
			h.observer.Curve()
		}
	}
}

// at returns what is predicted for a factor of the size.
func at(t *testing.T, o *shadow.Observer, factor float64) float64 {
	t.Helper()
	c, ok := o.Curve()
	for _, e := range c.Sizes {
		if ok && e.Factor == factor {
			return e.Ratio
		}
	}
	t.Fatalf("nothing is predicted for %gx: %+v, %v", factor, c, ok)
	return 0
}

func zipfKeys(s uint64, exponent float64, size, n int) []uint32 {
	return traceOf(zipfStream(exponent)(rand.New(rand.NewPCG(s, 5)), size, n)).Keys
}
