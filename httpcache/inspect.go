// inspect.go answers questions about single URLs.

package httpcache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/larder-go/larder/internal/shadow"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/store"
)

// Curve implements [stats.Curver], if Options.Observe is set. It is of memory: a request is a look
// at it, and sizes are in bytes.
func (c *Cache) Curve() (stats.Curve, bool) { return c.engine.memory.Curve() }

// Inspector implements [stats.Inspectable]. A key is a URL, as clients ask for it. Where a URL has
// several responses, for scopes, languages or by Vary, all but the first have a "#" and more behind
// it, as Top returns them.
//
// Refresh is a soft purge: the next request has the origin asked. Delete is a purge.
func (c *Cache) Inspector() stats.Inspector {
	return inspector{c.engine.memory.Inspector(), c}
}

// inspector is a cache as somebody sees it who asks for URLs.
type inspector struct {
	stats.Inspector // of memory
	cache           *Cache
}

// Top implements stats.Inspector.
func (i inspector) Top(by stats.Order, n int) (all []stats.Key) {
	ledger := i.cache.engine.tally.ledger
	if by != stats.ByLost || ledger == nil {
		return i.Inspector.Top(by, n)
	}
	for _, a := range ledger.Dearest() {
		if len(all) < n {
			all = append(all, stats.Key{Key: a.Key, Loads: a.Loads, Lost: a.Lost})
		}
	}
	return all
}

// Slowest implements stats.Inspector.
func (i inspector) Slowest() (all []stats.Load) {
	if ledger := i.cache.engine.tally.ledger; ledger != nil {
		for _, l := range ledger.Slowest() {
			all = append(all, loadOf(l))
		}
	}
	return all
}

func loadOf(l shadow.Load) stats.Load {
	return stats.Load{Key: l.Key, Took: l.Took, At: l.At, Err: l.Err}
}

// Find implements stats.Inspector.
func (i inspector) Find(ctx context.Context, key string) (stats.Life, error) {
	keys, err := i.keysOf(key)
	if err != nil {
		return stats.Life{}, err
	}
	o, others := i.look(keys)
	at := keys[0]
	if o != nil {
		at = o.key
	}
	life, err := i.Inspector.Find(ctx, at)
	if err != nil {
		return life, err
	}
	if o != nil {
		i.cache.engine.rules.live(&life, o.stored, time.Now())
	}
	i.addLoads(&life, at)
	i.addStored(ctx, &life, at)
	life.Why = life.Sentences()
	if others > 0 {
		more := fmt.Sprintf("Memory has %d more responses of this URL.", others)
		life.Why = append(life.Why, more)
	}
	return life, nil
}

// keysOf returns the keys that a text may stand for.
func (i inspector) keysOf(text string) (keys []string, err error) {
	url, _, whole := strings.Cut(text, "#")
	names, err := i.cache.keysOf(url)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", stats.ErrNoKey, err)
	}
	if whole || len(names) == 0 {
		return []string{text}, nil
	}
	for _, name := range names {
		keys = append(keys, name.key)
	}
	return keys, nil
}

// look returns what memory has under one of the keys, and how many responses it has besides whose
// URL is one of them. It goes through all of memory, so that nobody's request is counted.
func (i inspector) look(keys []string) (found *object, others int) {
	for key, o := range i.cache.engine.memory.All() {
		for _, k := range keys {
			switch {
			case key == k:
				if found != nil {
					others++
				}
				found = o
			case strings.HasPrefix(key, k+"#"):
				others++
			}
		}
	}
	return found, others
}

// live says how s lives, which memory keeps for longer than it may be served without asking.
func (r rules) live(life *stats.Life, s *stored, now time.Time) {
	switch judged, _ := r.judge(noDirectives(), s, now); judged {
	case serveFresh:
		life.State = "fresh"
	case serveWhile:
		life.State = "stale"
	default:
		life.State = "kept" // to be validated, or for when the origin fails
	}
	life.Age = currentAge(s, now)
	life.TTL, life.Leaves = r.freshUntil(s).Sub(now), r.keepUntil(s).Sub(now)
	life.Tags = s.tags
}

// addLoads adds what is remembered of the loads of a key.
func (i inspector) addLoads(life *stats.Life, key string) {
	t := i.cache.engine.tally
	if t.ledger == nil {
		return
	}
	if a, ok := t.ledger.Account(t.hash(key)); ok {
		last := loadOf(a.Last)
		life.Loads, life.LastLoad, life.Took = a.Loads, &last, last.Took
	}
}

// addStored asks the store.
func (i inspector) addStored(ctx context.Context, life *stats.Life, key string) {
	if i.cache.o.Store == nil {
		return
	}
	item, err := i.cache.o.Store.Get(ctx, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return // nobody knows
	}
	there := err == nil
	life.InStore = &there
	if there && !item.GoneAfter.IsZero() {
		life.StoreTTL = time.Until(item.GoneAfter)
	}
}

// Refresh implements stats.Inspector.
func (i inspector) Refresh(ctx context.Context, key string) error {
	return i.purge(key, func(reach []purged) error {
		n, err := i.cache.outdate(ctx, reach)
		if n == 0 && err == nil {
			err = fmt.Errorf("%w: there is no response of %s", stats.ErrNoKey, key)
		}
		return err
	})
}

// Delete implements stats.Inspector.
func (i inspector) Delete(ctx context.Context, key string) error {
	return i.purge(key, func(reach []purged) error { return i.cache.remove(ctx, reach) })
}

func (i inspector) purge(text string, do func([]purged) error) error {
	keys, err := i.keysOf(text)
	if err != nil {
		return err
	}
	var reach []purged
	for _, key := range keys {
		reach = append(reach, purged{key: key})
	}
	return do(reach)
}
