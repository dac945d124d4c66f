// memory.go is the store without a disk or a server: for tests and for small caches.

package store

import (
	"container/list"
	"context"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

// memoryOverhead is what an entry of [Memory] weighs besides its key, value and tags.
const memoryOverhead = 256

// MemoryOptions configure [NewMemory]; the zero value works.
type MemoryOptions struct {
	// MaxBytes bounds keys, values, tags and 256 bytes an entry; 0 means 64 MiB. When a Set would
	// pass it, the least recently used items leave.
	MaxBytes int64
}

// Memory is a bounded store in the memory of the process. It also lists, deletes by tag and clears.
type Memory struct {
	max int64

	mu      sync.Mutex // guards the fields below
	entries map[string]*list.Element
	recent  *list.List // of *memoryEntry, the most recently used in front
	weight  int64
	closed  bool
}

type memoryEntry struct {
	key  string
	item Item
}

func (e *memoryEntry) weight() int64 {
	n := memoryOverhead + len(e.key) + len(e.item.Value)
	for _, tag := range e.item.Tags {
		n += len(tag)
	}
	return int64(n)
}

// NewMemory returns an empty store. It panics if o.MaxBytes is negative.
func NewMemory(o MemoryOptions) *Memory {
	if o.MaxBytes < 0 {
		panic("store: negative MaxBytes")
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 64 << 20
	}
	return &Memory{max: o.MaxBytes, entries: map[string]*list.Element{}, recent: list.New()}
}

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, key string) (Item, error) {
	if err := check(ctx, key); err != nil {
		return Item{}, err
	}
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Item{}, ErrClosed
	}
	el, ok := m.entries[key]
	if !ok {
		return Item{}, ErrNotFound
	}
	e := el.Value.(*memoryEntry)
	if e.item.Expired(now) {
		m.removeLocked(el)
		return Item{}, ErrNotFound
	}
	m.recent.MoveToFront(el)
	return e.item.Clone(), nil
}

// Set implements [Store].
func (m *Memory) Set(ctx context.Context, key string, item Item) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	e := &memoryEntry{key: strings.Clone(key), item: item.Clone()}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if old, ok := m.entries[key]; ok {
		m.removeLocked(old)
	}
	if e.weight() > m.max {
		return ErrTooLarge
	}
	for m.weight+e.weight() > m.max {
		m.removeLocked(m.recent.Back())
	}
	m.entries[e.key] = m.recent.PushFront(e)
	m.weight += e.weight()
	return nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	if el, ok := m.entries[key]; ok {
		m.removeLocked(el)
	}
	return nil
}

// DeleteTag implements [TagDeleter].
func (m *Memory) DeleteTag(ctx context.Context, tag string) error {
	return m.deleteWhere(ctx, func(e *memoryEntry) bool { return slices.Contains(e.item.Tags, tag) })
}

// Clear implements [Clearer].
func (m *Memory) Clear(ctx context.Context) error {
	return m.deleteWhere(ctx, func(*memoryEntry) bool { return true })
}

func (m *Memory) deleteWhere(ctx context.Context, match func(*memoryEntry) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ErrClosed
	}
	for _, el := range m.entries {
		if match(el.Value.(*memoryEntry)) {
			m.removeLocked(el)
		}
	}
	return nil
}

// List implements [Lister] over a snapshot.
func (m *Memory) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		infos, err := m.snapshot(prefix, time.Now())
		if err != nil {
			yield(Info{}, err)
			return
		}
		for _, info := range infos {
			if err := ctx.Err(); err != nil {
				yield(Info{}, err)
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (m *Memory) snapshot(prefix string, now time.Time) ([]Info, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var infos []Info
	for key, el := range m.entries {
		if it := el.Value.(*memoryEntry).item; strings.HasPrefix(key, prefix) && !it.Expired(now) {
			infos = append(infos, NewInfo(key, it, int64(len(it.Value))))
		}
	}
	return infos, nil
}

// Close implements [Store] and drops all items.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed, m.entries, m.weight = true, nil, 0
	m.recent.Init()
	return nil
}

func (m *Memory) removeLocked(el *list.Element) {
	e := m.recent.Remove(el).(*memoryEntry)
	delete(m.entries, e.key)
	m.weight -= e.weight()
}

// check is what every method asks first.
func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}
