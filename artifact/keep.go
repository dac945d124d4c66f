// keep.go stands between the work and the store: one works at a time, and what it made is kept.

package artifact

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
)

// ErrChanged is what OnError gets if an input file changed while it was worked on.
var ErrChanged = errors.New("artifact: an input file changed meanwhile")

// inMemory is how many bytes are held in memory for a store without streams.
const inMemory = 64 << 20

// bring lets one process at a time work for t. It returns nil if another one has kept the artifact
// meanwhile.
func (c *Cache) bring(ctx context.Context, t task) (*made, error) {
	release, err := c.lease(ctx, t.name)
	if err != nil {
		return nil, err
	}
	defer release()
	if r := c.find(ctx, t.name); r != nil {
		r.Close()
		return nil, nil
	}
	began := time.Now()
	m, err := c.tally.load(ctx, t.work)
	if err != nil {
		return nil, err
	}
	// Whoever waited may have given up, but here is the work of hours.
	if err := c.keep(context.WithoutCancel(ctx), t, m, began); err != nil {
		c.tally.unkept(err)
		c.report(fmt.Errorf("not kept: %w", err))
	}
	return m, nil
}

// lease waits until no other process works for name. Where the store has no leases, or they fail,
// there is nothing to wait for; the error is that of ctx.
func (c *Cache) lease(ctx context.Context, name string) (release func(), err error) {
	l, err := store.TakeLease(ctx, c.o.Store, name)
	if err == nil {
		return l.Release, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if !errors.Is(err, errors.ErrUnsupported) {
		c.report(fmt.Errorf("other processes may compute the same: %w", err))
	}
	return func() {}, nil
}

// keep stores what was made for t, unless it was made of something else.
func (c *Cache) keep(ctx context.Context, t task, m *made, began time.Time) error {
	sums, err := c.sumsOf(ctx, t.files)
	if err != nil {
		return err
	}
	if !slices.Equal(sums, t.sums) {
		return ErrChanged
	}
	w, err := store.Create(ctx, c.o.Store, t.name, c.item(began, time.Now()), inMemory)
	if err != nil {
		return err
	}
	defer w.Close()
	if _, err := io.Copy(w, m.section()); err != nil {
		return err
	}
	return w.Commit()
}

// item describes an artifact that took from began until now to make.
func (c *Cache) item(began, now time.Time) store.Item {
	item := store.Item{Created: began}
	if c.o.TTL != 0 && c.o.TTL != larder.Forever {
		item.GoneAfter = now.Add(c.o.TTL)
	}
	return item
}

// find opens what is kept under name. A store that fails has nothing.
func (c *Cache) find(ctx context.Context, name string) *found {
	_, r, err := store.Open(ctx, c.o.Store, name)
	if err == nil {
		return &found{Reader: r, c: c, name: name}
	}
	absent := errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrDamaged)
	if !absent && ctx.Err() == nil {
		c.report(fmt.Errorf("cannot look into the store: %w", err))
	}
	return nil
}

// found reads an artifact that is kept.
type found struct {
	store.Reader
	c    *Cache
	name string
	bad  bool // not what was kept, and forgotten
}

// Read implements io.Reader. An artifact that cannot be read is forgotten: nobody would make it
// anew while it is there.
func (r *found) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, store.ErrClosed) || r.bad {
		return n, err
	}
	r.bad = true
	r.c.tally.damaged.Add(1)
	r.c.report(fmt.Errorf("forgotten: %w", err))
	if err := r.c.o.Store.Delete(context.Background(), r.name); err != nil {
		r.c.report(err)
	}
	return n, r.c.wrap(fmt.Errorf("%w: %w", store.ErrDamaged, err))
}

// notes remembers in a store what was in files.
type notes struct{ store store.Store }

// notePrefix begins the keys of notes. It is the one of larder run, so that both know of a file.
const notePrefix = "file:"

// Recall implements filehash.Memory. A store that fails remembers nothing.
func (n notes) Recall(ctx context.Context, path string) []byte {
	item, err := n.store.Get(ctx, notePrefix+path)
	if err != nil {
		return nil
	}
	return item.Value
}

// Remember implements filehash.Memory.
func (n notes) Remember(ctx context.Context, path string, note []byte) {
	_ = n.store.Set(ctx, notePrefix+path, store.Item{Value: note}) // then it is read again
}
