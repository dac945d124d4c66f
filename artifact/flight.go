// flight.go lets all goroutines that ask for the same wait for one computation.

package artifact

import (
	"context"
	"errors"
	"runtime/debug"

	"github.com/larder-go/larder"
)

// errExited is what those get who wait for work that called runtime.Goexit.
var errExited = errors.New("the computation ended its goroutine")

// flight is one computation that several goroutines wait for.
type flight struct {
	cancel  context.CancelFunc
	done    chan struct{} // closed when the fields below are final
	made    *made         // nil if it failed, or another process has kept it
	err     error
	waiting int // guarded by Cache.mu, until the end
}

// await joins the flight of t, or begins it. Who gets a *made has to release it; nil means that the
// store should be asked again.
func (c *Cache) await(ctx context.Context, t *task) (*made, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if within(ctx, t.name) {
		return nil, larder.ErrRecursive
	}
	f, role := c.join(ctx, *t)
	t.role = role
	select {
	case <-f.done:
		return f.made, f.err
	case <-ctx.Done():
		c.leave(t.name, f)
		return nil, ctx.Err()
	}
}

func (c *Cache) join(ctx context.Context, t task) (f *flight, r role) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r = follower
	if f = c.flights[t.name]; f == nil {
		r = leader
		f = &flight{done: make(chan struct{})}
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f.cancel = cancel
		c.flights[t.name] = f
		go c.fly(own, t, f)
	}
	f.waiting++
	return f, r
}

// leave is for who gives up. The last one ends the context of the work, and whoever asks from then
// on begins another flight.
func (c *Cache) leave(name string, f *flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-f.done: // just now, and counted us in
		if f.made != nil {
			f.made.release()
		}
		return
	default:
	}
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		c.dropLocked(name, f)
	}
}

func (c *Cache) dropLocked(name string, f *flight) {
	if c.flights[name] == f {
		delete(c.flights, name)
	}
}

// fly runs a flight to its end.
func (c *Cache) fly(ctx context.Context, t task, f *flight) {
	defer f.cancel()
	var m *made
	err := errExited
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, &larder.PanicError{Value: p, Stack: debug.Stack()}
		}
		c.land(t.name, f, m, err)
	}()
	m, err = c.bring(context.WithValue(ctx, workKey{}, &workOf{t.name, workOn(ctx)}), t)
}

// land hands over what a flight has brought.
func (c *Cache) land(name string, f *flight, m *made, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropLocked(name, f)
	f.made, f.err = m, err
	if m != nil {
		m.users.Store(int32(f.waiting))
		if f.waiting == 0 {
			m.remove()
		}
	}
	close(f.done)
}

// workKey is the key under which the context of work holds what it is for.
type workKey struct{}

// workOf is what a context works for, and within what.
type workOf struct {
	name   string
	within *workOf
}

func workOn(ctx context.Context) *workOf {
	w, _ := ctx.Value(workKey{}).(*workOf)
	return w
}

// within tells whether ctx is that of the work for name: to wait for it would take for ever.
func within(ctx context.Context, name string) bool {
	for w := workOn(ctx); w != nil; w = w.within {
		if w.name == name {
			return true
		}
	}
	return false
}
