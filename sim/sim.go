// sim.go replays a trace through one policy.

// Package sim predicts hit ratios: it replays traces through the policies that serve.
//
// The answers are of three kinds. Replay counts the hits of one policy at one size. LRUCurve and
// Optimum are exact too, and quicker than a replay for each size. Samples look at
// a share of the keys alone and say how far off they may be.
//
// Functions that take a context stop soon after it is done and return its cause.
package sim

import (
	"context"
	"errors"
	"time"

	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/trace"
)

// ErrNoSizes is returned where entries are to be weighed and the trace does not say what they
// weigh.
var ErrNoSizes = errors.New("sim: the trace has no sizes")

var errNothing = errors.New("sim: a cache of nothing: it must hold 1 at least")

// Result is what one policy made of a trace at one size.
type Result struct {
	Policy    string
	Max       uint64 // entries, or bytes where they were weighed
	Accesses  uint64
	Hits      uint64
	Bytes     uint64 // that were asked for; 0 if the trace has no sizes
	HitBytes  uint64 // of these, the bytes of the hits
	Evictions uint64
	Refused   uint64        // misses that were not taken in: heavier than Max
	Took      time.Duration // the replay alone, without reading
}

// HitRatio returns the share of accesses that were hits, 0 to 1.
func (r Result) HitRatio() float64 { return share(r.Hits, r.Accesses) }

// HitByteRatio returns the share of the bytes asked for that came from hits, 0 to 1.
func (r Result) HitByteRatio() float64 { return share(r.HitBytes, r.Bytes) }

// Speed returns accesses per second, on one core.
func (r Result) Speed() float64 { return float64(r.Accesses) / r.Took.Seconds() }

func share(part, whole uint64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Replay runs a trace through a new policy that may hold max entries, at least 1.
func Replay(ctx context.Context, t *trace.Trace, p policy.Named, max uint64) (Result, error) {
	if max == 0 {
		return Result{}, errNothing
	}
	c := newCache(t, p.New(max), max)
	return c.run(ctx, p.Name, func(from, to int) { c.count(from, to) })
}

// ReplayWeighed runs a trace through a new policy that may hold max bytes, at least 1. The trace
// must have sizes; a size of 0 weighs 1. An entry has the weight of the access that brought it in,
// and one that is heavier than max is not admitted.
func ReplayWeighed(
	ctx context.Context, t *trace.Trace, p policy.Named, max uint64,
) (Result, error) {
	switch {
	case max == 0:
		return Result{}, errNothing
	case len(t.Sizes) != len(t.Keys):
		return Result{}, ErrNoSizes
	}
	c := newCache(t, p.New(max), max)
	c.weights = make([]uint32, 0, 1024)
	return c.run(ctx, p.Name, func(from, to int) { c.weigh(from, to) })
}

// cache is the engine without values: it hands out slots as the engine does, the one that was freed
// last first, and asks the policy.
type cache struct {
	trace  *trace.Trace
	policy policy.Policy
	max    uint64

	marks *policy.Marks // where hits are marked, nil if nowhere
	mask  uint32        // hits on hashes with none of these bits are told by Touch
	deaf  bool          // none is

	slots   []uint32 // of a key, plus 1; 0 if it is not in
	owners  []uint32 // the key of a slot
	weights []uint32 // of a slot, where entries are weighed
	free    []uint32 // slots below len(owners) that are free
	used    uint64   // weight of all entries
	result  Result
}

func newCache(t *trace.Trace, p policy.Policy, max uint64) *cache {
	c := &cache{
		trace: t, policy: p, max: max,
		slots:  make([]uint32, t.Distinct),
		owners: make([]uint32, 0, min(max, uint64(t.Distinct))),
		result: Result{Max: max, Accesses: uint64(len(t.Keys))},
	}
	c.listen()
	return c
}

// listen asks the policy how it wants to hear of hits: at the beginning, and after the first
// victim.
func (c *cache) listen() {
	if m, ok := c.policy.(policy.Marker); ok {
		var watches bool
		c.marks = m.Marks()
		c.mask, watches = m.Watches()
		c.deaf = !watches
	}
}

// hit tells the policy of a hit as the engine does.
func (c *cache) hit(slot, hash uint32) {
	if c.marks != nil {
		c.marks.Mark(slot)
	}
	if hash&c.mask == 0 && !c.deaf {
		c.policy.Touch(slot, hash)
	}
}

// chunk is how many accesses are replayed between two looks at the context.
const chunk = 1 << 16

func (c *cache) run(ctx context.Context, name string, replay func(from, to int)) (Result, error) {
	for _, size := range c.trace.Sizes {
		c.result.Bytes += uint64(size)
	}
	start := time.Now()
	for from := 0; from < len(c.trace.Keys); from += chunk {
		if ctx.Err() != nil {
			return Result{}, context.Cause(ctx)
		}
		replay(from, min(from+chunk, len(c.trace.Keys)))
	}
	c.result.Policy, c.result.Took = name, time.Since(start)
	return c.result, nil
}

// hashOf mixes the number of a key (lowbias32, by Chris Wellons). Keys are numbered by their first
// appearance, so that is a hash as good as one of the key itself.
func hashOf(key uint32) uint32 {
	x := key + 0x9e3779b9
	x = (x ^ x>>16) * 0x7feb352d
	x = (x ^ x>>15) * 0x846ca68b
	return x ^ x>>16
}

// count replays accesses where every entry counts 1: the loop that has to be quick.
func (c *cache) count(from, to int) {
	p, slots, owners := c.policy, c.slots, c.owners
	sizes := c.trace.Sizes
	var hits, evictions uint64
	for i, k := range c.trace.Keys[from:to] {
		hash := hashOf(k)
		if slot := slots[k]; slot != 0 {
			c.hit(slot-1, hash)
			hits++
			if sizes != nil {
				c.result.HitBytes += uint64(sizes[from+i])
			}
			continue
		}
		slot := uint32(len(owners))
		if uint64(slot) < c.max {
			owners = append(owners, k)
		} else {
			slot = p.Victim(hash)
			slots[owners[slot]] = 0
			owners[slot] = k
			if evictions++; c.result.Evictions+evictions == 1 {
				c.listen()
			}
		}
		slots[k] = slot + 1
		p.Admit(slot, hash, 1)
	}
	c.owners = owners
	c.result.Hits += hits
	c.result.Evictions += evictions
}

// weigh replays accesses where every entry counts its size.
func (c *cache) weigh(from, to int) {
	for i, k := range c.trace.Keys[from:to] {
		size := c.trace.Sizes[from+i]
		weight := max(1, size)
		hash := hashOf(k)
		if slot := c.slots[k]; slot != 0 {
			c.hit(slot-1, hash)
			c.result.Hits++
			c.result.HitBytes += uint64(size)
			continue
		}
		if uint64(weight) > c.max {
			c.result.Refused++
			continue
		}
		for c.used+uint64(weight) > c.max {
			c.evict(hash)
		}
		c.admit(k, hash, weight)
	}
}

func (c *cache) evict(incoming uint32) {
	slot := c.policy.Victim(incoming)
	c.slots[c.owners[slot]] = 0
	c.used -= uint64(c.weights[slot])
	c.free = append(c.free, slot)
	if c.result.Evictions++; c.result.Evictions == 1 {
		c.listen()
	}
}

func (c *cache) admit(key, hash, weight uint32) {
	slot := uint32(len(c.owners))
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
	} else {
		c.owners, c.weights = append(c.owners, 0), append(c.weights, 0)
	}
	c.owners[slot], c.weights[slot] = key, weight
	c.slots[key] = slot + 1
	c.used += uint64(weight)
	c.policy.Admit(slot, hash, weight)
}
