// inspect.go answers questions about single keys.

package larder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
)

// errBlind says that a question needs an observer.
var errBlind = errors.New("larder: Options.Observe is not set")

// Inspector implements [stats.Inspectable]. Keys are written as fmt.Sprint writes them. Without
// Options.Observe it knows what is in memory, and nothing of hits, loads and misses.
func (c *Cache[K, V]) Inspector() stats.Inspector { return inspector[K, V]{c} }

// Explain says what is known of key: whether it is in memory and in the store, for how long, what
// its loads have cost, and, with Options.Observe, why it is not there. It asks the store, loads
// nothing, and is not counted as a request.
func (c *Cache[K, V]) Explain(ctx context.Context, key K) stats.Life {
	i := inspector[K, V]{c}
	l := i.inMemory(key)
	i.addObserved(&l, key)
	i.addStored(ctx, &l, key)
	l.Why = l.Sentences()
	return l
}

// inspector is a cache as somebody sees it who has texts in place of keys.
type inspector[K comparable, V any] struct{ cache *Cache[K, V] }

// Find implements stats.Inspector.
func (i inspector[K, V]) Find(ctx context.Context, text string) (stats.Life, error) {
	key, err := i.keyOf(text)
	if err != nil {
		return stats.Life{}, err
	}
	return i.cache.Explain(ctx, key), nil
}

// Refresh implements stats.Inspector.
func (i inspector[K, V]) Refresh(ctx context.Context, text string) error {
	key, err := i.keyOf(text)
	if err == nil {
		_, err = i.cache.Refresh(ctx, key)
	}
	return err
}

// Delete implements stats.Inspector.
func (i inspector[K, V]) Delete(ctx context.Context, text string) error {
	key, err := i.keyOf(text)
	if err == nil {
		err = i.cache.Delete(ctx, key)
	}
	return err
}

// keyOf returns the key that is written as text: of the kinds that can be read, or one in memory.
func (i inspector[K, V]) keyOf(text string) (K, error) {
	read := namesOf[K](nil).key
	if read != nil {
		if key, ok := read(text); ok && textOf(key) == text {
			return key, nil
		}
	}
	for key := range i.cache.All() {
		if textOf(key) == text {
			return key, nil
		}
	}
	var none K
	if read != nil {
		return none, fmt.Errorf("%w: %q is no %T", stats.ErrNoKey, text, none)
	}
	return none, fmt.Errorf("%w: no key in memory is written %q, and a %T cannot be read from text",
		stats.ErrNoKey, text, none)
}

// inMemory says what memory knows.
func (i inspector[K, V]) inMemory(key K) stats.Life {
	e := i.cache.engine
	life := stats.Life{Key: textOf(key), State: "absent"}
	var value whole[V]
	w, l, s := e.view(&key, &value)
	if w == 0 || s == gone {
		return life
	}
	t, _ := e.slots.Load().timesOf(e.slots.Load().at(w.slot()))
	life.State = [...]string{"fresh", "due", "stale", "kept"}[s]
	now := e.clock.now()
	fresh, leaves := t.look, t.leaves
	if l != nil {
		fresh, leaves = l.fresh, min(l.gone, t.leaves)
		life.Age, life.Took = time.Since(time.Unix(0, l.created)), l.took
		life.Tags = slices.Clone(l.tags)
		if l.absent != nil {
			life.State = "negative"
		}
	}
	life.TTL, life.Leaves = left(fresh, now), left(leaves, now)
	life.Forever = leaves == never
	life.Weight = e.weightOf(key)
	return life
}

// left returns the time from now to then, 0 for never.
func left(then, now int64) time.Duration {
	if then == never {
		return 0
	}
	return time.Duration(then - now)
}

// weightOf returns the weight of an entry, 0 if it is not there or entries are counted.
func (e *engine[K, V]) weightOf(k K) int64 {
	if e.options.Weigh == nil {
		return 0
	}
	e.enter()
	defer e.leave()
	w, _, _ := e.find(&k, hash(&e.hasher, &k), nil)
	if w == 0 {
		return 0
	}
	return int64(e.weighs[w.slot()])
}

// addObserved adds what the observer knows.
func (i inspector[K, V]) addObserved(l *stats.Life, key K) {
	e := i.cache.engine
	if e.observer == nil {
		return
	}
	h := hash(&e.hasher, &key)
	if a, ok := e.observer.Account(h); ok {
		last := loadOf(a.Last)
		l.Loads, l.LastLoad = a.Loads, &last
		l.Took = cmp.Or(l.Took, last.Took)
		if l.Age == 0 && l.State != "absent" {
			l.Age = time.Since(last.At)
		}
	}
	for _, f := range e.observer.Favorites() {
		if f.Hash == h {
			l.Hits = i.hits(f)
		}
	}
	if l.State == "absent" {
		l.Missed = labelsOfReasons[e.observer.Why(h)]
	}
}

func (i inspector[K, V]) hits(f shadow.Favorite) uint64 {
	hits, _ := i.cache.engine.stripes.totals()
	return uint64(f.Share*float64(hits) + 0.5)
}

// addStored asks the store.
func (i inspector[K, V]) addStored(ctx context.Context, l *stats.Life, key K) {
	t := i.cache.tier
	if t == nil {
		return
	}
	name, err := t.name(&i.cache.names, key)
	if err != nil {
		return
	}
	item, err := t.store.Get(ctx, name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return // nobody knows
	}
	there := err == nil
	l.InStore = &there
	if there && !item.GoneAfter.IsZero() {
		l.StoreTTL = time.Until(item.GoneAfter)
	}
}

func loadOf(l shadow.Load) stats.Load {
	return stats.Load{Key: l.Key, Took: l.Took, At: l.At, Err: l.Err}
}

// Slowest implements stats.Inspector.
func (i inspector[K, V]) Slowest() (all []stats.Load) {
	if o := i.cache.engine.observer; o != nil {
		for _, l := range o.Slowest() {
			all = append(all, loadOf(l))
		}
	}
	return all
}

// Top implements stats.Inspector.
func (i inspector[K, V]) Top(by stats.Order, n int) []stats.Key {
	e := i.cache.engine
	switch {
	case by == stats.ByWeight:
		return i.heaviest(n)
	case e.observer == nil:
		return nil
	case by == stats.ByHits:
		return i.favorites(n)
	}
	var all []stats.Key
	for _, a := range e.observer.Dearest() {
		if len(all) < n {
			all = append(all, stats.Key{Key: a.Key, Loads: a.Loads, Lost: a.Lost})
		}
	}
	return all
}

// favorites returns the keys that are hit most, as far as they are still there.
func (i inspector[K, V]) favorites(n int) (all []stats.Key) {
	e := i.cache.engine
	for _, f := range e.observer.Favorites() {
		if len(all) >= n {
			break
		}
		if key, ok := e.keyWith(f.Hash); ok {
			all = append(all, stats.Key{Key: textOf(key), Hits: i.hits(f), Share: f.Share})
		}
	}
	return all
}

// keyWith returns the key of an entry by its hash.
func (e *engine[K, V]) keyWith(h uint32) (k K, ok bool) {
	e.enter()
	defer e.leave()
	s := e.shardOf(h)
	slots := e.slots.Load()
	s.lock()
	defer s.unlock()
	s.each(func(slot uint32) {
		if !ok {
			var key whole[K]
			slots.loadKey(slots.at(slot), &key)
			if hash(&e.hasher, &key.v) == h {
				k, ok = key.v, true
			}
		}
	})
	return k, ok
}

// heaviest returns the n heaviest entries, none where entries are counted. It looks at all of them,
// shard by shard.
func (i inspector[K, V]) heaviest(n int) []stats.Key {
	e := i.cache.engine
	if e.options.Weigh == nil {
		return nil
	}
	var all []weighed[K]
	for at := range e.shards {
		all = append(all, e.weighShard(&e.shards[at])...)
		slices.SortFunc(all, func(a, b weighed[K]) int { return cmp.Compare(b.weight, a.weight) })
		all = all[:min(len(all), n)]
	}
	keys := make([]stats.Key, len(all))
	for at, w := range all {
		keys[at] = stats.Key{Key: textOf(w.key), Weight: int64(w.weight)}
	}
	return keys
}

type weighed[K any] struct {
	key    K
	weight uint32
}

func (e *engine[K, V]) weighShard(s *shard) (all []weighed[K]) {
	e.enter()
	defer e.leave()
	slots := e.slots.Load()
	s.each(func(slot uint32) {
		var key whole[K]
		slots.loadKey(slots.at(slot), &key)
		all = append(all, weighed[K]{key.v, e.weighs[slot]})
	})
	return all
}

// Record implements stats.Inspector.
func (i inspector[K, V]) Record(
	ctx context.Context, most int, yield func(stats.Access),
) error {
	o := i.cache.engine.observer
	if o == nil {
		return errBlind
	}
	return o.Record(ctx, most, func(a shadow.Access) {
		yield(stats.Access{Key: uint64(a.Hash), Hit: a.Hit})
	})
}
