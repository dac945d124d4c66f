// ring_use.go sends each operation to the node of its key, or to all.

package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
)

// nodeError is what is wrong with a node. It is made for every miss of a node that is down: without
// formatting anything.
type nodeError struct {
	node string
	errs []error
}

func (e *nodeError) Error() string {
	return fmt.Sprintf("store: node %s: %v", e.node, e.errs[len(e.errs)-1])
}

func (e *nodeError) Unwrap() []error { return e.errs }

// at returns the node of key.
func (r *Ring) at(key string) (*ringNode, error) {
	if r.closed.Load() {
		return nil, ErrClosed
	}
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	n := r.view.Load().pick(key)
	if n == nil {
		return nil, errNoNodes
	}
	return n, nil
}

var errNoNodes = fmt.Errorf("%w: the ring has no nodes", ErrUnavailable)

// down reports whether err says that a node is not there: it failed, or was closed alone.
func (r *Ring) down(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil || r.closed.Load() {
		return false
	}
	return isFailure(err) || errors.Is(err, ErrClosed)
}

// fault returns err as it is, or as one that wraps ErrUnavailable if the node is down.
func (r *Ring) fault(ctx context.Context, n *ringNode, err error) error {
	if r.down(ctx, err) {
		return &nodeError{n.name, []error{ErrUnavailable, err}}
	}
	return err
}

// miss is fault for reading, and counts: a node that is down has nothing.
func (r *Ring) miss(ctx context.Context, n *ringNode, err error) error {
	switch {
	case r.down(ctx, err):
		n.missed.Add(1)
		return &nodeError{n.name, []error{ErrNotFound, ErrUnavailable, err}}
	case errors.Is(err, ErrNotFound):
		n.misses.Add(1)
	}
	return err
}

// absent says that a ring without nodes has nothing.
func absent(err error) error {
	if err == errNoNodes {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// Get implements [Store]. A key of a node that is down is a miss, whose error wraps ErrNotFound and
// ErrUnavailable.
func (r *Ring) Get(ctx context.Context, key string) (Item, error) {
	n, err := r.at(key)
	if err != nil {
		return Item{}, absent(err)
	}
	item, err := n.guard.Get(ctx, key)
	if err != nil {
		return Item{}, r.miss(ctx, n, err)
	}
	n.hits.Add(1)
	return item, nil
}

// Set implements [Store].
func (r *Ring) Set(ctx context.Context, key string, item Item) error {
	n, err := r.at(key)
	if err != nil {
		return err
	}
	return r.fault(ctx, n, n.guard.Set(ctx, key, item))
}

// Delete implements [Store].
func (r *Ring) Delete(ctx context.Context, key string) error {
	n, err := r.at(key)
	if err != nil {
		return err
	}
	return r.fault(ctx, n, n.guard.Delete(ctx, key))
}

// share sorts keys by their nodes.
func (r *Ring) share(keys iter.Seq[string]) (map[*ringNode][]string, error) {
	if r.closed.Load() {
		return nil, ErrClosed
	}
	view, shares := r.view.Load(), map[*ringNode][]string{}
	for key := range keys {
		if err := CheckKey(key); err != nil {
			return nil, err
		}
		n := view.pick(key)
		if n == nil {
			return nil, errNoNodes
		}
		shares[n] = append(shares[n], key)
	}
	return shares, nil
}

// onShares calls f for all shares at a time and returns the errors.
func onShares(shares map[*ringNode][]string, f func(*ringNode, []string) error) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex // guards errs
		errs []error
	)
	for n, keys := range shares {
		wg.Go(func() {
			if err := f(n, keys); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// GetMany implements [ManyGetter], all nodes at a time. Keys of nodes that are down are absent, and
// that is no error, so that whoever loads what is missing does so; NodeStats.Missed counts them.
func (r *Ring) GetMany(ctx context.Context, keys []string) (map[string]Item, error) {
	all := make(map[string]Item, len(keys))
	shares, err := r.share(func(yield func(string) bool) {
		for _, key := range keys {
			if !yield(key) {
				return
			}
		}
	})
	if err == errNoNodes {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards all
	err = onShares(shares, func(n *ringNode, keys []string) error {
		items, err := n.guard.GetMany(ctx, keys)
		mu.Lock()
		for key, item := range items {
			all[key] = item
		}
		mu.Unlock()
		n.hits.Add(uint64(len(items)))
		switch rest := uint64(max(0, len(keys)-len(items))); {
		case r.down(ctx, err):
			n.missed.Add(rest)
			return nil
		case err == nil:
			n.misses.Add(rest)
		}
		return err
	})
	return all, err
}

// SetMany implements [ManySetter], all nodes at a time. The errors of nodes that are down are among
// those returned.
func (r *Ring) SetMany(ctx context.Context, items map[string]Item) error {
	shares, err := r.share(func(yield func(string) bool) {
		for key := range items {
			if !yield(key) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return onShares(shares, func(n *ringNode, keys []string) error {
		share := make(map[string]Item, len(keys))
		for _, key := range keys {
			share[key] = items[key]
		}
		return r.fault(ctx, n, n.guard.SetMany(ctx, share))
	})
}

// everywhere does f on all nodes.
func (r *Ring) everywhere(ctx context.Context, f func(*Guard) error) error {
	if r.closed.Load() {
		return ErrClosed
	}
	return r.onAll(func(n *ringNode) error {
		err := f(n.guard)
		if r.down(ctx, err) && !errors.Is(err, ErrUnavailable) {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return err
	})
}

// DeleteTag implements [TagDeleter] on all nodes at a time. Where one is down, its items are still
// there when it comes back: the error wraps ErrUnavailable, and the call should be made again.
func (r *Ring) DeleteTag(ctx context.Context, tag string) error {
	return r.everywhere(ctx, func(g *Guard) error { return g.DeleteTag(ctx, tag) })
}

// DeletePrefix implements [PrefixDeleter] on all nodes at a time, with the errors of DeleteTag.
func (r *Ring) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	var n atomic.Int64
	err := r.everywhere(ctx, func(g *Guard) error {
		some, err := g.DeletePrefix(ctx, prefix)
		n.Add(int64(some))
		return err
	})
	return int(n.Load()), err
}

// Clear implements [Clearer] on all nodes at a time, with the errors of DeleteTag.
func (r *Ring) Clear(ctx context.Context) error {
	return r.everywhere(ctx, func(g *Guard) error { return g.Clear(ctx) })
}

// List implements [Lister], node by node. What the nodes that work hold comes first, then one error
// for all that do not. Keys that have moved to another node are still listed by their old one, if
// it belongs to the ring.
func (r *Ring) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if r.closed.Load() {
			yield(Info{}, ErrClosed)
			return
		}
		var errs []error
		for _, n := range r.view.Load().nodes {
			for info, err := range n.guard.List(ctx, prefix) {
				if err != nil {
					errs = append(errs, r.fault(ctx, n, err))
				} else if !yield(info, nil) {
					return
				}
			}
		}
		if err := errors.Join(errs...); err != nil {
			yield(Info{}, err)
		}
	}
}

// Open implements [Streamer], with the errors of Get.
func (r *Ring) Open(ctx context.Context, key string) (Item, Reader, error) {
	n, err := r.at(key)
	if err != nil {
		return Item{}, nil, absent(err)
	}
	item, reader, err := n.guard.Open(ctx, key)
	if err != nil {
		return Item{}, nil, r.miss(ctx, n, err)
	}
	n.hits.Add(1)
	return item, reader, nil
}

// Create implements [Streamer]. Where the store of the node is none, a value may have 64 MiB.
func (r *Ring) Create(ctx context.Context, key string, item Item) (Writer, error) {
	n, err := r.at(key)
	if err != nil {
		return nil, err
	}
	w, err := n.guard.Create(ctx, key, item)
	return w, r.fault(ctx, n, err)
}

// TryLease implements [Leaser] on the node of key. When a key moves, tokens are those of another
// node, which may be smaller.
func (r *Ring) TryLease(ctx context.Context, key string) (Lease, error) {
	n, err := r.at(key)
	if err != nil {
		return nil, err
	}
	l, err := n.guard.TryLease(ctx, key)
	if err != nil {
		return nil, r.fault(ctx, n, err)
	}
	return &ringLease{l, r, n, key}, nil
}

// ringLease is lost when its key moves: what the node hears of it from then on is not all.
type ringLease struct {
	Lease
	ring *Ring
	node *ringNode
	key  string
}

func (l *ringLease) Set(ctx context.Context, item Item) error {
	if l.ring.view.Load().pick(l.key) != l.node {
		l.Release()
		return ErrVoid
	}
	return l.ring.fault(ctx, l.node, l.Lease.Set(ctx, item))
}

// AwaitLease implements [Leaser] on the node of key.
func (r *Ring) AwaitLease(ctx context.Context, key string) error {
	n, err := r.at(key)
	if err != nil {
		return err
	}
	return r.fault(ctx, n, n.guard.AwaitLease(ctx, key))
}
