// warm.go loads what will be asked for, before it is.

package larder

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
)

// WarmOptions configure Warm; the zero value works.
type WarmOptions struct {
	// AtOnce is how many loads are under way at a time. 0 means 8.
	AtOnce int
	// Batch is how many keys one load of LoadMany gets, and one read of the store. 0 means 100.
	Batch int
	// Progress hears how far it is after each batch, one call at a time. nil means nobody does.
	Progress func(Warmed)
}

// Warmed says what Warm has done.
type Warmed struct {
	Keys     int // that it was given so far and that are done
	Loaded   int // that were not in memory, and are now
	NotFound int // that the origin does not have
	Failed   int // whose load failed
}

// Warm gets keys into memory that are not there, hottest first if one has the choice: it stops at
// nothing but the end of keys and of ctx, and what does not fit evicts as ever. Keys may be any
// sequence: slices.Values(list), maps.Keys(m), what Hottest has returned yesterday. Neither hits
// nor misses are counted. Right after New it waits until the links to the store and to Watch stand,
// for LostTTL at most: what is kept before that is forgotten then. The error is that of ctx, or that
// of one load if some failed.
func (c *Cache[K, V]) Warm(ctx context.Context, keys iter.Seq[K], o WarmOptions) (Warmed, error) {
	c.awaitLinks(ctx)
	c.awaitLinks(ctx)
	w := warming[K, V]{cache: c, progress: o.Progress}
	atOnce, size := o.AtOnce, o.Batch
	if atOnce <= 0 {
		atOnce = 8
	}
	if size <= 0 {
		size = 100
	}
	turns := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for batch := range batches(keys, size) {
		select {
		case <-ctx.Done():
		case turns <- struct{}{}:
			wg.Go(func() {
				defer func() { <-turns }()
				w.get(ctx, batch)
			})
			continue
		}
		break
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return w.done, err
	}
	if w.done.Failed > 0 {
		return w.done, fmt.Errorf("larder: warm: %d of %d keys failed: %w",
			w.done.Failed, w.done.Keys, w.err)
	}
	return w.done, nil
}

// batches cuts a sequence into slices of size, the last one of less.
func batches[K any](keys iter.Seq[K], size int) iter.Seq[[]K] {
	return func(yield func([]K) bool) {
		var batch []K
		for key := range keys {
			if batch = append(batch, key); len(batch) == size {
				if !yield(batch) {
					return
				}
				batch = nil
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// warming is one Warm that runs.
type warming[K comparable, V any] struct {
	cache    *Cache[K, V]
	progress func(Warmed)

	mu   sync.Mutex // guards the fields below; held while progress is called
	done Warmed
	err  error
}

// get gets one batch.
func (w *warming[K, V]) get(ctx context.Context, batch []K) {
	var missing []*fetch[K, V]
	seen := map[K]struct{}{}
	for _, key := range batch {
		old := w.cache.engine.inspect(key)
		if _, ok := seen[key]; !ok && old.state >= kept {
			seen[key] = struct{}{}
			missing = append(missing, &fetch[K, V]{key: key, old: old})
		}
	}
	got := map[K]V{}
	failed, err := 0, error(nil)
	if len(missing) > 0 {
		failed, err = w.cache.loadMissing(ctx, missing, got)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done.Keys += len(batch)
	w.done.Loaded += len(got)
	w.done.Failed += failed
	w.done.NotFound += len(missing) - len(got) - failed
	w.err = cmp.Or(err, w.err)
	if w.progress != nil {
		w.progress(w.done)
	}
}

// Hottest returns the keys of at most most entries, those first that are most worth having. It
// holds up whoever sets a new key while it looks through all entries, some 100 ms for a million.
func (c *Cache[K, V]) Hottest(most int) []K {
	entries := c.engine.hottest(most)
	keys := make([]K, len(entries))
	for i, e := range entries {
		keys[i] = e.key
	}
	return slices.Clip(keys)
}
