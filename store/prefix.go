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

// Clear implements [Clearer]: other views keep theirs.
func (p *Prefix) Clear(ctx context.Context) error {
	_, err := DeletePrefix(ctx, p.store, p.prefix)
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

// Lease implements [Leaser].
func (p *Prefix) Lease(ctx context.Context, key string) (release func(), err error) {
	return p.lease(ctx, key, Lease)
}

// TryLease implements [Leaser].
func (p *Prefix) TryLease(ctx context.Context, key string) (release func(), err error) {
	return p.lease(ctx, key, TryLease)
}

func (p *Prefix) lease(
	ctx context.Context, key string, take func(context.Context, Store, string) (func(), error),
) (func(), error) {
	key, err := p.key(key)
	if err != nil {
		return nil, err
	}
	return take(ctx, p.store, key)
}
