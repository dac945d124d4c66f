// stream.go reads and writes values piece by piece.

package disk

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/debug"

	"github.com/larder-go/larder/store"
)

// Open implements [store.Streamer]. Every piece is checked before it is given out.
func (s *Store) Open(ctx context.Context, key string) (store.Item, store.Reader, error) {
	item, r, err := s.openItem(ctx, key)
	s.count(err)
	return item, r, err
}

func (s *Store) openItem(ctx context.Context, key string) (store.Item, store.Reader, error) {
	for range 3 {
		item, ref, err := s.get(ctx, key)
		if err != nil {
			return store.Item{}, nil, s.missIfDamaged(err)
		}
		if ref == nil {
			r := store.NewReader(item.Value)
			item.Value = nil
			return item, r, nil
		}
		r, err := s.openLarge(key, *ref)
		if err == nil {
			return item, r, nil
		}
		if !errors.Is(err, errGone) {
			return store.Item{}, nil, s.missIfDamaged(err)
		}
	}
	return store.Item{}, nil, store.ErrNotFound
}

// missIfDamaged is what a reader is told: a damaged item is one that is not there.
func (s *Store) missIfDamaged(err error) error {
	if !errors.Is(err, errDamaged) {
		return err
	}
	if c, err := s.enter(context.Background(), s.looked.Load()); err == nil {
		defer s.leave(c)
		defer s.guard(debug.SetPanicOnFault(true), &err)
		s.countDamage()
	}
	return store.ErrNotFound
}

// setLarge writes a value that is too long for a segment.
func (s *Store) setLarge(ctx context.Context, key string, item *store.Item) error {
	w := &writer{s: s, ctx: ctx, key: key, item: *item}
	w.item.Value = nil
	err := w.begin(largeBytes(key, int64(len(item.Value))))
	for rest := item.Value; err == nil && len(rest) > 0; {
		n := min(len(rest), blockBytes)
		err = w.writeBlock(rest[:n])
		rest = rest[n:]
	}
	if err == nil {
		err = w.adopt()
	}
	if err != nil {
		w.drop()
	}
	return err
}

// Create implements [store.Streamer]. Nothing is kept of a writer whose process dies.
func (s *Store) Create(ctx context.Context, key string, item store.Item) (store.Writer, error) {
	if err := store.CheckKey(key); err != nil {
		return nil, err
	}
	w := &writer{s: s, ctx: ctx, key: key, item: item}
	w.item.Value = nil
	return w, s.change(ctx, func() error { // tells at once that the folder cannot be written
		w.largeFrom = s.largeFrom()
		return nil
	})
}

// writer writes one value: to memory while it is short, to a file in tmp from then on.
type writer struct {
	s         *Store
	ctx       context.Context
	key       string
	item      store.Item
	largeFrom int64

	ix        *index   // the one the file is counted in
	pending   []byte   // not yet in a block
	file      *os.File // nil while all is pending; locked, so that others see its writer lives
	id        uint64
	salt      uint32
	number    uint32 // of the next block
	size      int64  // of the value, in blocks so far
	fileBytes int64  // written
	reserved  int64  // size the file has, counted in the folder's bytes
	err       error
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.pending = append(w.pending, p...)
	w.err = w.flush()
	if w.err != nil {
		w.remove()
		return 0, w.err
	}
	return len(p), nil
}

// flush writes whole blocks once the value is known to be large.
func (w *writer) flush() error {
	if w.file == nil {
		if int64(len(w.pending)) <= w.largeFrom {
			return nil
		}
		if err := w.change(func() error { return w.begin(blockBytes) }); err != nil {
			return err
		}
	}
	return w.change(func() error {
		rest := w.pending
		for len(rest) >= blockBytes {
			if err := w.writeBlock(rest[:blockBytes]); err != nil {
				return err
			}
			rest = rest[blockBytes:]
		}
		w.pending = w.pending[:copy(w.pending, rest)]
		return nil
	})
}

// change runs fn while the folder is still the one in which the file was begun.
func (w *writer) change(fn func() error) error {
	return w.s.changeOnce(w.ctx, func() error {
		if w.ix != nil && w.ix != w.s.ix {
			return errMoved
		}
		return fn()
	})
}

// Commit implements [store.Writer].
func (w *writer) Commit() error {
	if w.err != nil {
		return w.err
	}
	if w.file == nil {
		w.item.Value = w.pending
		w.err = store.ErrClosed
		return w.s.Set(w.ctx, w.key, w.item)
	}
	w.err = w.change(func() error {
		if len(w.pending) > 0 {
			if err := w.writeBlock(w.pending); err != nil {
				return err
			}
		}
		return w.adopt()
	})
	if w.err != nil {
		w.remove()
		return w.err
	}
	w.err = store.ErrClosed
	return nil
}

// Close implements [store.Writer].
func (w *writer) Close() error {
	w.remove()
	if w.err == nil {
		w.err = store.ErrClosed
	}
	return nil
}

// remove drops an unfinished file, if there is one.
func (w *writer) remove() {
	w.pending = nil
	if w.file == nil {
		return
	}
	ctx := w.ctx
	w.ctx = context.WithoutCancel(ctx)
	_ = w.change(func() error { w.drop(); return nil })
	w.ctx = ctx
	w.close()
}

// drop removes the unfinished file. What it cannot remove is swept when room is needed: with the
// file closed, others see that its writer is gone.
func (w *writer) drop() {
	if w.file == nil {
		return
	}
	_ = w.s.inRoom(context.WithoutCancel(w.ctx), nil, func(rm *room) error {
		return rm.remove(w.file.Name(), w.reserved)
	})
	w.close()
}

func (w *writer) close() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}

// begin makes the file, with room for n bytes.
func (w *writer) begin(n int64) error {
	s := w.s
	w.ix, w.id, w.salt = s.ix, s.ix.lastLarge.Add(1), rand.Uint32()
	head := appendLargeHead(nil, w.id, s.ix.head.folder, w.salt, w.key)
	err := s.inRoom(w.ctx, nil, func(rm *room) error {
		if err := os.MkdirAll(s.path(tempDir), 0o700); err != nil {
			return fmt.Errorf("disk: %w", err)
		}
		f, err := os.OpenFile(s.path(tempDir, fmt.Sprintf("%016x-%016x", w.id, rand.Uint64())),
			os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("disk: %w", err)
		}
		w.file = f
		if _, err := tryLock(f); err != nil { // nobody else can have it: the file is new
			return fmt.Errorf("disk: lock %s: %w", f.Name(), err)
		}
		return w.reserveIn(rm, int64(len(head))+n)
	})
	if err != nil {
		return err
	}
	return w.write(head)
}

// reserveIn makes the file at least size bytes long. A writer holds what it has reserved, so that
// the limit holds while many write at once.
func (w *writer) reserveIn(rm *room, size int64) error {
	if size > rm.s.largest() {
		return fmt.Errorf("%w: more than %d bytes, a quarter of the folder's limit",
			store.ErrTooLarge, rm.s.largest())
	}
	if err := rm.ensure(size - w.reserved); err != nil {
		return err
	}
	rm.s.ix.bytes.Add(size - w.reserved)
	if err := w.file.Truncate(size); err != nil {
		rm.s.ix.bytes.Add(w.reserved - size)
		return fmt.Errorf("disk: %w", err)
	}
	w.reserved = size
	return nil
}

// largest is the size of the largest file that a value may take.
func (s *Store) largest() int64 { return s.ix.limit.Load() / 4 }

func (w *writer) writeBlock(block []byte) error {
	if need := w.fileBytes + blockHead + int64(len(block)); need > w.reserved {
		step := min(max(w.reserved, 1<<20), 64<<20)
		err := w.s.inRoom(w.ctx, nil, func(rm *room) error {
			if !rm.fits(step) {
				step = 0 // nobody has to leave for what is perhaps not needed
			}
			return w.reserveIn(rm, max(need, min(w.reserved+step, rm.s.largest())))
		})
		if err != nil {
			return err
		}
	}
	if err := w.write(appendBlockHead(nil, w.salt, w.number, block)); err != nil {
		return err
	}
	w.number++
	w.size += int64(len(block))
	return w.write(block)
}

func (w *writer) write(b []byte) error {
	if _, err := w.file.WriteAt(b, w.fileBytes); err != nil {
		return fmt.Errorf("disk: %w", err)
	}
	w.fileBytes += int64(len(b))
	return nil
}

// adopt gives back what was reserved too much and makes the file the value of its key.
func (w *writer) adopt() error {
	err := w.s.inRoom(w.ctx, nil, func(rm *room) error {
		if w.fileBytes != w.reserved {
			if err := w.file.Truncate(w.fileBytes); err != nil {
				return fmt.Errorf("disk: %w", err)
			}
			rm.s.ix.bytes.Add(w.fileBytes - w.reserved)
			w.reserved = w.fileBytes
		}
		return rm.adoptLarge(w)
	})
	if err == nil {
		w.close()
	}
	return err
}
