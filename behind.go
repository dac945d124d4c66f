// behind.go writes values to the origin some time after they were set, many at once.

package larder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// WriteBehind says how values are written to the origin after Set has returned. What was set last
// of a key is written, perhaps not what was set before. Until then Get finds it in the queue, also
// after a Delete, which does not concern the origin. A value that was given up is deleted from
// memory and store, since the origin does not have it. The zero value writes nothing behind.
type WriteBehind[K comparable, V any] struct {
	// Write writes several values. If it returns an error it is called again with all of them. Its
	// context ends after LoadTimeout.
	Write func(ctx context.Context, values map[K]V) error
	// Delay is how long values are collected at most before they are written. 0 means one second.
	Delay time.Duration
	// MaxBatch is how many values are written by one call at most. 0 means 100.
	MaxBatch int
	// MaxQueue is how many keys wait at most. Set waits for room, until its context ends; then it
	// returns ErrQueueFull and keeps nothing. 0 means 10 000.
	MaxQueue int
	// Tries is how often a batch is written in vain before it is given up. The pauses between grow
	// from Delay to sixteen times that; Close waits for none. 0 means 5.
	Tries int
	// OnLost hears of values that were given up, with the error of the last try. nil means that
	// they go to Options.OnError. Close tells how many they were.
	OnLost func(values map[K]V, err error)
}

// ErrQueueFull is returned by Set, with the error of its context, when too much waits to be
// written.
var ErrQueueFull = errors.New("larder: too much waits to be written")

// ErrLost is wrapped by the error of Close when values could not be written to the origin.
var ErrLost = errors.New("larder: values were not written")

// queued is a value that waits, and when it was set.
type queued[V any] struct {
	entry Entry[V]
	at    time.Time
}

// behind is a queue of values to be written. A nil one is never used.
type behind[K comparable, V any] struct {
	options WriteBehind[K, V]
	limit   time.Duration // of a call of Write; 0 is none
	report  func(error)
	forget  func(K)

	mu      sync.Mutex // guards the fields below
	waiting map[K]queued[V]
	writing map[K]queued[V] // the batch that is being written
	room    chan struct{}   // closed when there is some again; nil if nobody waits for it
	closing chan struct{}   // closed by close: no pauses any more
	flush   chan struct{}   // closed when waiting should be written at once
	done    chan struct{}   // closed when the writer has ended; nil if there is none
	closed  bool
	lost    int
}

// newBehind makes the queue that o describes, nil if it writes nothing. forget takes a key out that
// was given up.
func newBehind[K comparable, V any](
	o WriteBehind[K, V], limit time.Duration, report func(error), forget func(K),
) *behind[K, V] {
	if o.Write == nil {
		return nil
	}
	o.Delay = cmp.Or(o.Delay, time.Second)
	o.MaxBatch = cmp.Or(o.MaxBatch, 100)
	o.MaxQueue = cmp.Or(o.MaxQueue, 10_000)
	o.Tries = cmp.Or(o.Tries, 5)
	return &behind[K, V]{
		options: o, limit: limit, report: report, forget: forget,
		waiting: map[K]queued[V]{}, closing: make(chan struct{}),
	}
}

// add queues a value, and waits for room if there is none.
func (b *behind[K, V]) add(ctx context.Context, key K, e Entry[V]) error {
	if key != key {
		return fmt.Errorf("%w: its key does not equal itself", ErrRefused)
	}
	for {
		room, err := b.tryAdd(key, e)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrQueueFull, ctx.Err())
		}
	}
}

// tryAdd queues a value, or returns what to wait for.
func (b *behind[K, V]) tryAdd(key K, e Entry[V]) (room <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("%w: the cache is closed", ErrRefused)
	}
	if _, ok := b.waiting[key]; !ok && len(b.waiting)+len(b.writing) >= b.options.MaxQueue {
		if b.room == nil {
			b.room = make(chan struct{})
		}
		b.flushLocked()
		return b.room, nil
	}
	b.waiting[key] = queued[V]{e, time.Now()}
	if b.done == nil {
		b.done, b.flush = make(chan struct{}), make(chan struct{})
		go b.run(b.done, b.flush)
	}
	if len(b.waiting) >= b.options.MaxBatch {
		b.flushLocked()
	}
	return nil, nil
}

// flushLocked has the writer begin at once.
func (b *behind[K, V]) flushLocked() {
	if b.flush != nil {
		close(b.flush)
		b.flush = nil
	}
}

// pending returns a value that the origin does not have yet, with what is left of its time.
func (b *behind[K, V]) pending(key K) (e Entry[V], ok bool) {
	if b == nil {
		return e, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	q, ok := b.waiting[key]
	if !ok {
		q, ok = b.writing[key]
	}
	e = q.entry
	if ok && e.TTL > 0 && e.TTL != Forever {
		e.TTL -= time.Since(q.at)
		if e.TTL <= 0 {
			e.TTL = -1
		}
	}
	return e, ok
}

// run writes what waits, after a while or when it is much, until nothing waits.
func (b *behind[K, V]) run(done, flush chan struct{}) {
	defer close(done)
	for {
		timer := time.NewTimer(b.options.Delay)
		select {
		case <-flush:
		case <-timer.C:
		}
		timer.Stop()
		for b.next() {
			b.write()
		}
		b.mu.Lock()
		if len(b.waiting) == 0 {
			b.done, b.flush = nil, nil
			b.mu.Unlock()
			return
		}
		flush = make(chan struct{})
		b.flush = flush
		if b.closed {
			b.flushLocked()
		}
		b.mu.Unlock()
	}
}

// next takes a batch to be written; false if nothing waits.
func (b *behind[K, V]) next() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writing = nil
	for key, value := range b.waiting {
		if len(b.writing) == b.options.MaxBatch {
			break
		}
		if b.writing == nil {
			b.writing = map[K]queued[V]{}
		}
		b.writing[key] = value
		delete(b.waiting, key)
	}
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
	return len(b.writing) > 0
}

// write writes the batch, or gives it up after some tries.
func (b *behind[K, V]) write() {
	var err error
	for try := range b.options.Tries {
		if try > 0 {
			b.pause(b.options.Delay << min(try-1, 4))
		}
		if err = b.call(); err == nil {
			return
		}
		b.report(fmt.Errorf("write behind of %d values, try %d of %d: %w",
			len(b.writing), try+1, b.options.Tries, err))
	}
	b.mu.Lock()
	b.lost += len(b.writing)
	b.mu.Unlock()
	if b.options.OnLost != nil {
		b.options.OnLost(b.values(), err)
	} else {
		b.report(fmt.Errorf("%w: %d of them: %w", ErrLost, len(b.writing), err))
	}
	b.forgetLost()
}

// forgetLost forgets the values of the batch that were not set again meanwhile.
func (b *behind[K, V]) forgetLost() {
	for key := range b.writing {
		b.mu.Lock()
		_, again := b.waiting[key]
		b.mu.Unlock()
		if !again {
			b.forget(key)
		}
	}
}

// pause waits for d, or until the cache is closed.
func (b *behind[K, V]) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.closing:
	}
}

// values returns the batch as Write gets it.
func (b *behind[K, V]) values() map[K]V {
	values := make(map[K]V, len(b.writing))
	for key, q := range b.writing {
		values[key] = q.entry.Value
	}
	return values
}

// call calls Write. It has a goroutine of its own, so that nothing it does ends the writer.
func (b *behind[K, V]) call() error {
	values, err := b.values(), errExited
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = &PanicError{p, debug.Stack()}
			}
		}()
		ctx, cancel := context.Background(), func() {}
		if b.limit > 0 {
			ctx, cancel = context.WithTimeout(ctx, b.limit)
		}
		defer cancel()
		err = b.options.Write(ctx, values)
	}()
	<-done
	return err
}

// close writes what waits, and tells if something was lost.
func (b *behind[K, V]) close() error {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if !b.closed {
		close(b.closing)
	}
	b.closed = true
	b.flushLocked()
	done := b.done
	b.mu.Unlock()
	if done != nil {
		<-done
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lost > 0 {
		return fmt.Errorf("%w: %d of them", ErrLost, b.lost)
	}
	return nil
}

// Flush has all written to the origin that waits for it, and returns when it is, or was given up, or
// with the error of ctx. What is set meanwhile may be among it or not.
func (c *Cache[K, V]) Flush(ctx context.Context) error {
	b := c.behind
	if b == nil {
		return nil
	}
	b.mu.Lock()
	b.flushLocked()
	done := b.done
	b.mu.Unlock()
	if done == nil {
		return nil
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counts returns how many values wait, and how many were given up.
func (b *behind[K, V]) counts() (waiting int, lost uint64) {
	if b == nil {
		return 0, 0
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiting) + len(b.writing), uint64(b.lost)
}
