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

// Memory is a bounded store in the memory of the process. It can do all that a store can but
// streams.
//
// Several handles may share what is in it (Share), as processes share a server: events tell what
// the others do, leases are between all, and each is closed on its own.
type Memory struct {
	shelf  *shelf
	closed bool // guarded by shelf.mu
}

// shelf is what the handles of a Memory share.
type shelf struct {
	max int64

	mu      sync.Mutex // guards the fields below
	entries map[string]*list.Element
	recent  *list.List // of *memoryEntry, the most recently used in front
	weight  int64
	handles int
	marks   map[string]memoryMark // of tags that were deleted
	leases  map[string]*memoryLease
	token   uint64 // the last one that a lease or a mark has got

	telling  sync.Mutex // held while telling, so that events keep their order; taken before mu
	watchers []*memoryWatcher
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
	return &Memory{shelf: &shelf{
		max: o.MaxBytes, entries: map[string]*list.Element{}, recent: list.New(), handles: 1,
		marks: map[string]memoryMark{}, leases: map[string]*memoryLease{},
	}}
}

// Share returns another handle of the same store.
func (m *Memory) Share() *Memory {
	m.shelf.mu.Lock()
	defer m.shelf.mu.Unlock()
	m.shelf.handles++
	return &Memory{shelf: m.shelf}
}

// enter takes the lock, or returns why the handle cannot be used for key. The caller unlocks.
func (m *Memory) enter(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	m.shelf.mu.Lock()
	if m.closed {
		m.shelf.mu.Unlock()
		return ErrClosed
	}
	return nil
}

// Get implements [Store].
func (m *Memory) Get(ctx context.Context, key string) (Item, error) {
	if err := m.enter(ctx, key); err != nil {
		return Item{}, err
	}
	defer m.shelf.mu.Unlock()
	el, ok := m.shelf.entries[key]
	if !ok {
		return Item{}, ErrNotFound
	}
	e := el.Value.(*memoryEntry)
	if e.item.Expired(time.Now()) {
		m.shelf.removeLocked(el)
		return Item{}, ErrNotFound
	}
	m.shelf.recent.MoveToFront(el)
	return e.item.Clone(), nil
}

// Set implements [Store].
func (m *Memory) Set(ctx context.Context, key string, item Item) error {
	return m.change(Event{Changed, key, ""}, func() error {
		if err := m.enter(ctx, key); err != nil {
			return err
		}
		defer m.shelf.mu.Unlock()
		m.shelf.freeLocked(key)
		return m.shelf.setLocked(key, item)
	})
}

// setLocked stores a copy of item.
func (s *shelf) setLocked(key string, item Item) error {
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	if old, ok := s.entries[key]; ok {
		s.removeLocked(old)
	}
	if s.deletedLocked(item.Tags, item.Created) {
		return nil
	}
	e := &memoryEntry{key: strings.Clone(key), item: item.Clone()}
	if e.weight() > s.max {
		return ErrTooLarge
	}
	for s.weight+e.weight() > s.max {
		s.removeLocked(s.recent.Back())
	}
	s.entries[e.key] = s.recent.PushFront(e)
	s.weight += e.weight()
	return nil
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key string) error {
	return m.change(Event{Changed, key, ""}, func() error {
		if err := m.enter(ctx, key); err != nil {
			return err
		}
		defer m.shelf.mu.Unlock()
		m.shelf.freeLocked(key)
		if el, ok := m.shelf.entries[key]; ok {
			m.shelf.removeLocked(el)
		}
		return nil
	})
}

// DeleteTag implements [TagDeleter].
func (m *Memory) DeleteTag(ctx context.Context, tag string) error {
	_, err := m.deleteWhere(ctx, Event{TagDeleted, "", tag}, func(e *memoryEntry) bool {
		return slices.Contains(e.item.Tags, tag)
	}, func() { m.shelf.markLocked(tag) })
	return err
}

// Clear implements [Clearer].
func (m *Memory) Clear(ctx context.Context) error {
	_, err := m.DeletePrefix(ctx, "")
	return err
}

// DeletePrefix implements [PrefixDeleter].
func (m *Memory) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	return m.deleteWhere(ctx, Event{Kind: Cleared}, func(e *memoryEntry) bool {
		return strings.HasPrefix(e.key, prefix)
	}, func() {
		for key := range m.shelf.leases {
			if strings.HasPrefix(key, prefix) {
				m.shelf.freeLocked(key)
			}
		}
	})
}

// deleteWhere removes the items that match, does what else is to be done in the same moment, and
// tells of it as e. It returns how many items it were.
func (m *Memory) deleteWhere(
	ctx context.Context, e Event, match func(*memoryEntry) bool, alsoLocked func(),
) (n int, err error) {
	err = m.change(e, func() error {
		if err := m.enter(ctx, "any"); err != nil {
			return err
		}
		defer m.shelf.mu.Unlock()
		for _, el := range m.shelf.entries {
			if match(el.Value.(*memoryEntry)) {
				m.shelf.removeLocked(el)
				n++
			}
		}
		alsoLocked()
		return nil
	})
	return n, err
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
	m.shelf.mu.Lock()
	defer m.shelf.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	var infos []Info
	for key, el := range m.shelf.entries {
		if it := el.Value.(*memoryEntry).item; strings.HasPrefix(key, prefix) && !it.Expired(now) {
			infos = append(infos, NewInfo(key, it, int64(len(it.Value))))
		}
	}
	return infos, nil
}

// Close implements [Store]. The last handle that is closed drops all items.
func (m *Memory) Close() error {
	m.shelf.mu.Lock()
	if m.closed {
		m.shelf.mu.Unlock()
		return nil
	}
	m.closed = true
	s := m.shelf
	if s.handles--; s.handles == 0 {
		s.entries, s.weight = nil, 0
		s.recent.Init()
	}
	for key, l := range s.leases {
		if l.by == m {
			s.freeLocked(key)
		}
	}
	s.mu.Unlock()
	m.unwatch(func(w *memoryWatcher) bool { return w.by == m })
	return nil
}

func (s *shelf) removeLocked(el *list.Element) {
	e := s.recent.Remove(el).(*memoryEntry)
	delete(s.entries, e.key)
	s.weight -= e.weight()
}

// check is what every method asks first.
func check(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return CheckKey(key)
}
