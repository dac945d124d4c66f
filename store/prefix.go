// prefix.go lets several users share one store, each seeing its own keys alone.

package store

import (
	"context"
	"fmt"
	"iter"
	"strings"
)

// Prefix is a view of a store: its keys and tags stand in the store behind a prefix. It can do what
// the store can. Closing it closes the store.
type Prefix struct {
	store  Store
	prefix string
}

// NewPrefix returns the view of s under prefix. Views under "a" and "ab" see each other's keys: end
// a prefix with a character that names do not have, such as a colon.
func NewPrefix(s Store, prefix string) *Prefix { return &Prefix{s, prefix} }

// key returns key as it stands in the store. A prefix makes the longest key shorter.
func (p *Prefix) key(key string) (string, error) {
	if err := CheckKey(key); err != nil {
		return "", err
	}
	if err := CheckKey(p.prefix + key); err != nil {
		return "", fmt.Errorf("behind the prefix %q: %w", p.prefix, err)
	}
	return p.prefix + key, nil
}

// Get implements [Store].
func (p *Prefix) Get(ctx context.Context, key string) (Item, error) {
	key, err := p.key(key)
	if err != nil {
		return Item{}, err
	}
	item, err := p.store.Get(ctx, key)
	return p.outward(item), err
}

// Set implements [Store].
func (p *Prefix) Set(ctx context.Context, key string, item Item) error {
	key, err := p.key(key)
	if err != nil {
		return err
	}
	return p.store.Set(ctx, key, p.inward(item))
}

// Delete implements [Store].
func (p *Prefix) Delete(ctx context.Context, key string) error {
	key, err := p.key(key)
	if err != nil {
		return err
	}
	return p.store.Delete(ctx, key)
}

// Close implements [Store] and closes the store below.
func (p *Prefix) Close() error { return p.store.Close() }

// inward puts the tags behind the prefix, so that views do not delete each other's items.
func (p *Prefix) inward(item Item) Item {
	tags := make([]string, len(item.Tags))
	for i, tag := range item.Tags {
		tags[i] = p.prefix + tag
	}
	item.Tags = tags
	return item
}

func (p *Prefix) outward(item Item) Item {
	for i, tag := range item.Tags {
		item.Tags[i] = strings.TrimPrefix(tag, p.prefix)
	}
	return item
}

// List implements [Lister].
func (p *Prefix) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		for info, err := range List(ctx, p.store, p.prefix+prefix) {
			info.Key = strings.TrimPrefix(info.Key, p.prefix)
			info.Tags = p.outward(Item{Tags: info.Tags}).Tags
			if !yield(info, err) {
				return
			}
		}
	}
}

// DeleteTag implements [TagDeleter].
func (p *Prefix) DeleteTag(ctx context.Context, tag string) error {
	return DeleteTag(ctx, p.store, p.prefix+tag)
}

// DeletePrefix implements [PrefixDeleter].
func (p *Prefix) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	return DeletePrefix(ctx, p.store, p.prefix+prefix)
}

// Clear implements [Clearer]: other views keep theirs.
func (p *Prefix) Clear(ctx context.Context) error {
	_, err := p.DeletePrefix(ctx, "")
	return err
}

// Open implements [Streamer].
func (p *Prefix) Open(ctx context.Context, key string) (Item, Reader, error) {
	key, err := p.key(key)
	if err != nil {
		return Item{}, nil, err
	}
	item, r, err := Open(ctx, p.store, key)
	return p.outward(item), r, err
}

// Create implements [Streamer]. Where the store below is none, a value may have 64 MiB.
func (p *Prefix) Create(ctx context.Context, key string, item Item) (Writer, error) {
	key, err := p.key(key)
	if err != nil {
		return nil, err
	}
	return Create(ctx, p.store, key, p.inward(item), bufferLimit)
}

// GetMany implements [ManyGetter].
func (p *Prefix) GetMany(ctx context.Context, keys []string) (map[string]Item, error) {
	inner := make([]string, len(keys))
	for i, key := range keys {
		var err error
		if inner[i], err = p.key(key); err != nil {
			return nil, err
		}
	}
	items, err := GetMany(ctx, p.store, inner)
	got := make(map[string]Item, len(items))
	for key, item := range items {
		got[strings.TrimPrefix(key, p.prefix)] = p.outward(item)
	}
	return got, err
}

// SetMany implements [ManySetter].
func (p *Prefix) SetMany(ctx context.Context, items map[string]Item) error {
	inner := make(map[string]Item, len(items))
	for key, item := range items {
		key, err := p.key(key)
		if err != nil {
			return err
		}
		inner[key] = p.inward(item)
	}
	return SetMany(ctx, p.store, inner)
}

// TryLease implements [Leaser].
func (p *Prefix) TryLease(ctx context.Context, key string) (Lease, error) {
	key, err := p.key(key)
	if err != nil {
		return nil, err
	}
	l, err := TryLease(ctx, p.store, key)
	if err != nil {
		return nil, err
	}
	return prefixLease{l, p}, nil
}

// prefixLease sets items with their tags behind the prefix.
type prefixLease struct {
	Lease
	view *Prefix
}

func (l prefixLease) Set(ctx context.Context, item Item) error {
	return l.Lease.Set(ctx, l.view.inward(item))
}

// AwaitLease implements [Leaser].
func (p *Prefix) AwaitLease(ctx context.Context, key string) error {
	key, err := p.key(key)
	if err != nil {
		return err
	}
	return AwaitLease(ctx, p.store, key)
}

// Watch implements [Watcher]: it passes on what concerns the view.
func (p *Prefix) Watch(hear func(Event)) (stop func()) {
	return Watch(p.store, func(e Event) {
		mine := true
		switch e.Kind {
		case Changed:
			e.Key, mine = strings.CutPrefix(e.Key, p.prefix)
		case TagDeleted:
			e.Tag, mine = strings.CutPrefix(e.Tag, p.prefix)
		}
		if mine {
			hear(e)
		}
	})
}
