// memory_test.go weighs observers that have heard all there is to hear.

package shadow_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/shadow"
)

// mostMemory is what an observer may take: 1 MiB, and what else is on the heap meanwhile.
const mostMemory = 1<<20 + 32<<10

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what a pool or a finalizer held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAFullObserverTakesLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it fills a dozen of them")
	}
	s := seed(t)
	for _, own := range []string{"Adaptive", "LRU"} {
		for _, entries := range []int{1000, 10_000, 1_000_000} {
			for _, weighed := range []bool{false, true} {
				name := fmt.Sprintf("%s, %d entries, weighed %v", own, entries, weighed)
				t.Run(name, func(t *testing.T) {
					before := heap()
					o := full(t, own, entries, weighed, s)
					took := int64(heap() - before)
					t.Logf("%d KiB", took>>10)
					if took > mostMemory {
						t.Errorf("it takes %d bytes, at most %d are allowed", took, mostMemory)
					}
					o.Close()
				})
			}
		}
	}
}

// full returns an observer of a cache of some entries, or of thousand times their number in weight,
// that has heard of far more keys than it can remember, with lives and uses that end.
func full(t *testing.T, own string, entries int, weighed bool, seed uint64) *shadow.Observer {
	p, times := named(t, own), 1
	if weighed {
		times = 1000
	}
	bound := uint64(entries * times)
	asked := uint64(0)
	o := shadow.NewObserver(shadow.Host{
		Cache: shadow.Cache{
			Policy: p.Name, New: p.New, Max: bound, Entries: uint64(entries), Weighed: weighed,
		},
		Life: time.Hour, Idle: time.Minute,
		Totals:  func() (hits, misses uint64) { return 0, asked },
		Shape:   func() (max, used, count uint64) { return bound, bound, uint64(entries) },
		Listens: func(uint32, bool) {},
	}, 16)
	fill(o, entries, uint32(times), seed)
	return o
}

// fill makes an observer hear of keys, of loads with long texts, and of hits. Most keys come twice, so
// that policies remember those that left.
func fill(o *shadow.Observer, entries int, heaviest uint32, seed uint64) {
	const heard = 20_000 // of the keys that are looked at
	r := rand.New(rand.NewPCG(seed, 7))
	long := strings.Repeat("é", 100)
	keys := uint32(8 * min(entries, 1000))
	for i := range uint32(heard) {
		hash := r.Uint32N(keys) << 16 // all are in the share, but for what mix makes of them
		o.Miss(0, hash, shadow.New)
		o.Put(hash, 1+r.Uint32N(2*heaviest), shadow.Loaded)
		o.Left(hash, shadow.Evicted)
		o.Hit(0, hash+i%3<<16)
		if i%256 == 0 {
			o.Curve()
		}
		l := shadow.Load{Key: fmt.Sprint(hash, long), Err: long, Took: time.Duration(i)}
		o.Charge(hash, l)
		o.Rank(l)
	}
}
