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
	begun time.Time
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
	l := &memoryLease{m, key, s.token, time.Now(), make(chan struct{})}
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
		if s.deletedLocked(item.Tags, l.begun) {
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

// A deletion of a tag is remembered for markFor at least, once there are more than someMarks.
const (
	markFor   = time.Hour
	someMarks = 1024
)

// markLocked remembers that a tag was deleted: older items must not come in later.
func (s *shelf) markLocked(tag string) {
	now := time.Now()
	if len(s.marks) >= someMarks {
		maps.DeleteFunc(s.marks, func(_ string, at time.Time) bool { return now.Sub(at) > markFor })
	}
	s.marks[tag] = now
}

// deletedLocked tells whether one of tags was deleted after created.
func (s *shelf) deletedLocked(tags []string, created time.Time) bool {
	return slices.ContainsFunc(tags, func(tag string) bool { return created.Before(s.marks[tag]) })
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
