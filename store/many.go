// many.go reads and writes several items at once.

package store

import (
	"context"
	"errors"
	"sync"
)

// ManyGetter is a store that reads several items in one go.
type ManyGetter interface {
	// GetMany returns the items of keys. Absent ones are not in the map. If something goes wrong,
	// the map has what was read all the same. The caller owns the items.
	GetMany(ctx context.Context, keys []string) (map[string]Item, error)
}

// ManySetter is a store that writes several items in one go.
type ManySetter interface {
	// SetMany sets all items, as Set does one. If it fails, some may be set and others not.
	SetMany(ctx context.Context, items map[string]Item) error
}

// atOnce is how many calls are under way for a store that takes one key at a time.
const atOnce = 16

// GetMany returns the items of keys, by one call where s is a [ManyGetter], else by several calls
// of Get at a time.
func GetMany(ctx context.Context, s Store, keys []string) (map[string]Item, error) {
	if m, ok := s.(ManyGetter); ok {
		return m.GetMany(ctx, keys)
	}
	items := make(map[string]Item, len(keys))
	var mu sync.Mutex // guards items
	err := each(keys, func(key string) error {
		item, err := s.Get(ctx, key)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err == nil {
			mu.Lock()
			items[key] = item
			mu.Unlock()
		}
		return err
	})
	return items, err
}

// SetMany sets all items, by one call where s is a [ManySetter], else by several calls of Set at a
// time.
func SetMany(ctx context.Context, s Store, items map[string]Item) error {
	if m, ok := s.(ManySetter); ok {
		return m.SetMany(ctx, items)
	}
	keys := make([]string, 0, len(items))
	for key := range items {
		keys = append(keys, key)
	}
	return each(keys, func(key string) error { return s.Set(ctx, key, items[key]) })
}

// each calls f for all keys, atOnce at a time, and returns the errors.
func each(keys []string, f func(key string) error) error {
	var wg sync.WaitGroup
	errs := make([]error, len(keys))
	turns := make(chan struct{}, atOnce)
	for i, key := range keys {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			errs[i] = f(key)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
