// enter.go is the way in and out of every call, and what happens when the folder changes meanwhile.

package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"time"

	"github.com/larder-go/larder/store"
)

// lookEvery is how often a call looks whether the folder is still the one that was opened.
const lookEvery = int64(time.Second)

// call is what enter notes of a call for leave: the epoch in which it began.
type call uint64

// enter prepares a call: afterwards mapped memory stays mapped until leave.
func (s *Store) enter(ctx context.Context, now int64) (call, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	if s.ready(now) {
		return s.begin(), nil
	}
	if s.look(now) {
		s.tidy()
		return s.begin(), nil
	}
	s.mu.RUnlock()
	if err := s.reopen(); err != nil {
		return 0, err
	}
	s.mu.RLock()
	if s.ix == nil { // closed or removed again
		s.mu.RUnlock()
		return 0, fmt.Errorf("disk: %s cannot be opened again: %w", s.dir, store.ErrClosed)
	}
	return s.begin(), nil
}

// begin counts a call in its epoch.
func (s *Store) begin() call {
	for {
		epoch := s.epoch.Load()
		s.calls[epoch&1].Add(1)
		if s.epoch.Load() == epoch {
			return call(epoch)
		}
		s.calls[epoch&1].Add(-1)
	}
}

func (s *Store) leave(c call) {
	s.calls[c&1].Add(-1)
	s.mu.RUnlock()
}

// ready reports whether there is nothing to look after; mu is held for reading.
func (s *Store) ready(now int64) (ok bool) {
	var fault error
	defer s.guard(debug.SetPanicOnFault(true), &fault)
	since := now - s.looked.Load()
	return s.ix != nil && s.ix.drops.Load() == s.seen.Load() && since < lookEvery && since >= 0 &&
		!s.suspect.Load()
}

// look reports whether the folder is still the one that was opened; mu is held for reading.
func (s *Store) look(now int64) (ok bool) {
	var fault error
	defer s.guard(debug.SetPanicOnFault(true), &fault)
	if s.ix == nil || s.suspect.Load() || !s.intact() {
		return false
	}
	s.looked.Store(now)
	s.seen.Store(s.ix.drops.Load())
	return true
}

// intact reports whether the mapped index is still the file in the folder, in its full length, and
// the lock that we hold in the room the one that the others hold.
func (s *Store) intact() bool {
	have, err := s.ix.file.Stat()
	if err != nil || have.Size() < sharedBytes || have.Size() < s.ix.indexBytes.Load() {
		return false
	}
	return s.ix.replaced.Load() == 0 && sameFile(s.ix.file, s.path(indexFile)) &&
		(s.roomFile == nil || sameFile(s.roomFile, s.path(lockFile)))
}

// tidy closes segments that no call reads any more; mu is held for reading. What left in the epoch
// before this one can be read only by calls that began before this one: when none of them is under
// way it is closed, and the next epoch begins.
func (s *Store) tidy() {
	var fault error
	defer s.guard(debug.SetPanicOnFault(true), &fault)
	s.opening.Lock()
	defer s.opening.Unlock()
	for i := range s.segments {
		if g := s.segments[i].Load(); g != nil && g.id != s.ix.segments[i].id.Load() {
			s.retire(i)
		}
	}
	epoch := s.epoch.Load()
	if s.calls[(epoch+1)&1].Load() != 0 {
		return
	}
	closeAll(s.aged)
	s.aged, s.retired = s.retired, nil
	s.epoch.Add(1)
}

// reopen opens the folder anew if it was removed, replaced or damaged under our feet. Where that
// fails the next call tries again.
func (s *Store) reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return store.ErrClosed
	}
	if s.ix != nil {
		s.suspect.Store(false)
		if s.look(time.Now().UnixNano()) {
			return nil // another call was faster, or the fault was in a segment
		}
		s.release()
	}
	if err := s.open(); err != nil {
		return fmt.Errorf("disk: open %s again: %w", s.dir, err)
	}
	return nil
}

// Close implements [store.Store]. Items stay in the folder.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.ix != nil {
		s.lastWords()
		s.release()
	}
	return nil
}

// lastWords adds what was counted to the folder's counters.
func (s *Store) lastWords() {
	var fault error
	defer s.guard(debug.SetPanicOnFault(true), &fault)
	s.flushCounters()
}

// release closes all files; s.mu is held for writing.
func (s *Store) release() {
	for i := range s.segments {
		s.retire(i)
	}
	closeAll(s.aged)
	closeAll(s.retired)
	s.aged, s.retired = nil, nil
	if s.ix != nil {
		s.ix.close()
		s.ix = nil
	}
	if s.roomFile != nil {
		s.roomFile.Close()
		s.roomFile = nil
	}
}

func (x *index) close() {
	unmapFile(x.m)
	x.file.Close()
}

// retire forgets the open segment at place; s.opening is held, or s.mu for writing.
func (s *Store) retire(place int) {
	if g := s.segments[place].Swap(nil); g != nil {
		s.retired = append(s.retired, g)
	}
}

func closeAll(segments []*segment) {
	for _, g := range segments {
		g.close()
	}
}

// callError is what segment panics with.
type callError struct{ error }

// guard turns a fault in mapped memory, which is a file cut short or a disk that cannot be read,
// into an error, and a callError too. It is deferred by all that touches such memory.
func (s *Store) guard(old bool, err *error) {
	debug.SetPanicOnFault(old)
	switch r := recover().(type) {
	case nil:
	case callError:
		*err = fmt.Errorf("disk: %w", r.error)
	case interface{ Addr() uintptr }:
		s.suspect.Store(true)
		*err = fmt.Errorf("disk: %s: %w: file cut short or unreadable (address %#x)",
			s.dir, errDamaged, r.Addr())
	default:
		panic(r)
	}
}

// segment returns the open segment at place, or nil if it has left or is damaged. What else keeps
// it from being opened (too many open files) is no reason to call its records absent: that ends the
// call, by a panic that guard turns into its error.
func (s *Store) segment(place int) *segment {
	info := &s.ix.segments[place]
	id := info.id.Load()
	if g := s.segments[place].Load(); g != nil && g.id == id {
		return g
	}
	if id == 0 {
		return nil
	}
	return s.openSegment(place, id)
}

func (s *Store) openSegment(place int, id uint64) *segment {
	s.opening.Lock()
	defer s.opening.Unlock()
	if g := s.segments[place].Load(); g != nil && g.id == id {
		return g
	}
	s.retire(place)
	g, err := s.mapSegment(place, id)
	switch {
	case err == nil:
		s.segments[place].Store(g)
		return g
	case errors.Is(err, errDamaged):
		info := &s.ix.segments[place] // one that has just left reads as zeros
		if info.state.Load() == segmentLive && info.id.Load() == id {
			s.countDamage()
		}
	case !errors.Is(err, fs.ErrNotExist):
		panic(callError{err})
	}
	return nil
}

func (s *Store) countDamage() {
	if !s.readOnly {
		s.ix.damaged.Add(1)
	}
}
