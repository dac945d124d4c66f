// memory_share.go is what the handles of a Memory have to do with each other: leases, events, tags.

package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// memoryLease is a lease of one handle.
type memoryLease struct {
	by    *Memory
	key   string
	token uint64
	freed chan struct{} // closed when the lease has ended
}

// TryLease implements [Leaser]. A lease ends when its handle is closed.
func (m *Memory) TryLease(ctx context.Context, key string) (Lease, error) {
	if err := m.enter(ctx, key); err != nil {
		return nil, err
	}
	s := m.shelf
	defer s.mu.Unlock()
	if s.leases[key] != nil {
		return nil, fmt.Errorf("%w: %q", ErrLeased, key)
	}
	s.token++
	l := &memoryLease{m, key, s.token, make(chan struct{})}
	s.leases[key] = l
	return l, nil
}

// AwaitLease implements [Leaser].
func (m *Memory) AwaitLease(ctx context.Context, key string) error {
	if err := m.enter(ctx, key); err != nil {
		return err
	}
	l := m.shelf.leases[key]
	m.shelf.mu.Unlock()
	if l == nil {
		return nil
	}
	select {
	case <-l.freed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// freeLocked ends the lease of key, whoever has it.
func (s *shelf) freeLocked(key string) {
	if l := s.leases[key]; l != nil {
		delete(s.leases, key)
		close(l.freed)
	}
}

// Token implements [Lease].
func (l *memoryLease) Token() uint64 { return l.token }

// Set implements [Lease].
func (l *memoryLease) Set(ctx context.Context, item Item) error {
	return l.by.change(Event{Changed, l.key, ""}, func() error {
		if err := l.by.enter(ctx, l.key); err != nil {
			return err
		}
		s := l.by.shelf
		defer s.mu.Unlock()
		if s.leases[l.key] != l {
			return ErrVoid
		}
		s.freeLocked(l.key)
		if s.overtakenLocked(item.Tags, l.token) {
			return ErrVoid
		}
		return s.setLocked(l.key, item)
	})
}

// Release implements [Lease].
func (l *memoryLease) Release() {
	s := l.by.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases[l.key] == l {
		s.freeLocked(l.key)
	}
}

// memoryMark says when a tag was deleted: by the clock, and by a number between the tokens of the
// leases taken before and after. Where both fall in one tick of the clock the number alone tells.
type memoryMark struct {
	at    time.Time
	token uint64
}

// A deletion of a tag is remembered for markFor at least, once there are more than someMarks.
const (
	markFor   = time.Hour
	someMarks = 1024
)

// markLocked remembers that a tag was deleted: older items must not come in later.
func (s *shelf) markLocked(tag string) {
	now := time.Now()
	if len(s.marks) >= someMarks {
		old := func(_ string, m memoryMark) bool { return now.Sub(m.at) > markFor }
		maps.DeleteFunc(s.marks, old)
	}
	s.token++
	s.marks[tag] = memoryMark{now, s.token}
}

// deletedLocked tells whether one of tags was deleted after created.
func (s *shelf) deletedLocked(tags []string, created time.Time) bool {
	old := func(tag string) bool { return created.Before(s.marks[tag].at) }
	return slices.ContainsFunc(tags, old)
}

// overtakenLocked tells whether one of tags was deleted after the lease with that token was taken.
func (s *shelf) overtakenLocked(tags []string, token uint64) bool {
	later := func(tag string) bool { return s.marks[tag].token > token }
	return slices.ContainsFunc(tags, later)
}

// memoryWatcher hears what other handles do.
type memoryWatcher struct {
	by   *Memory
	hear func(Event)
}

// Watch implements [Watcher]: it tells what other handles do, in their goroutines.
func (m *Memory) Watch(hear func(Event)) (stop func()) {
	w := &memoryWatcher{m, hear}
	m.shelf.telling.Lock()
	defer m.shelf.telling.Unlock()
	m.shelf.watchers = append(m.shelf.watchers, w)
	hear(Event{Kind: Linked})
	return func() { m.unwatch(func(other *memoryWatcher) bool { return other == w }) }
}

func (m *Memory) unwatch(which func(*memoryWatcher) bool) {
	m.shelf.telling.Lock()
	defer m.shelf.telling.Unlock()
	m.shelf.watchers = slices.DeleteFunc(m.shelf.watchers, which)
}

// change does what e tells of, and tells the other handles if it was done.
func (m *Memory) change(e Event, do func() error) error {
	s := m.shelf
	s.telling.Lock()
	defer s.telling.Unlock()
	err := do()
	if err != nil {
		return err
	}
	for _, w := range s.watchers {
		if w.by != m {
			w.hear(e)
		}
	}
	return nil
}
