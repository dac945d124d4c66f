// ring.go spreads items over several stores.

package store

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Node is one of the stores of a [Ring].
type Node struct {
	// Name decides which keys the node has: those who share the nodes must call them alike, and a
	// server that moves to another address keeps its keys if it keeps its name.
	Name string
	// Store holds the items. It belongs to the ring from then on, which closes it.
	Store Store
	// Weight is the node's share of the keys, measured by those of the others; 0 means 1.
	Weight float64
}

// RingOptions configure [NewRing]; the zero value works. Timeout, Failures and Cooldown are those
// of the [Guard] that each node stands behind.
type RingOptions struct {
	// Name stands before the names of the nodes in their Snapshots, with a slash; "" means nothing
	// does.
	Name     string
	Timeout  time.Duration // see GuardOptions
	Failures int           // see GuardOptions
	Cooldown time.Duration // see GuardOptions
	// OnChange is told every new state of a node. It must be quick. nil: nobody is told.
	OnChange func(node string, state GuardState)
}

// Ring keeps each item in one of several stores, chosen by its key. All who use the same names and
// weights choose alike; the order in which nodes are given does not matter. When a node of weight w
// joins or leaves, only the keys move that it gets or had: a share of w among the sum of weights.
//
// Each node stands behind a [Guard], so that one that is down costs nothing: Get of its keys is a
// miss at once, with an error that wraps [ErrNotFound] and [ErrUnavailable]; Set, Delete and
// leases return an error that wraps ErrUnavailable. The other nodes do not notice. Its keys do not
// move to others until it is removed: while a node comes and goes, or is seen by some and not by
// others, two nodes would hold the same key and one of them an old item.
//
// A node that could not be reached but kept running still holds what was set before. If a Delete or
// Set of yours has failed meanwhile, the old item is served again when the node is back, until its
// GoneAfter: items that must not be old need a time limit, or a Delete that is tried again. For the
// same reason clear a node before you add it a second time.
//
// Nothing is copied to a second node: what a node loses has to be loaded again.
type Ring struct {
	options RingOptions
	view    atomic.Pointer[ringView]
	closed  atomic.Bool

	mu      sync.Mutex // orders changes of who belongs to the ring and who watches it
	watches map[*ringWatch]none
}

// ringNode is a node in use.
type ringNode struct {
	name   string
	weight float64
	guard  *Guard
	// Keys that were asked for, each in one of these.
	hits, misses, missed atomic.Uint64
}

// NodeStats are the numbers of one node of a [Ring].
type NodeStats struct {
	Name   string
	Weight float64
	Guard  GuardStats
	Hits   uint64 // keys of Get and GetMany that were found, values that were opened
	Misses uint64 // those that were not there
	Missed uint64 // those that count as misses because the node was down
}

// NewRing returns a ring of nodes. It panics if two have the same name, a name is empty, a store is
// missing, a weight is no positive number, or an option is negative.
func NewRing(nodes []Node, o RingOptions) *Ring {
	r := &Ring{options: o, watches: map[*ringWatch]none{}}
	r.view.Store(newRingView(nil))
	for _, n := range nodes {
		if err := r.Add(n); err != nil {
			panic(err.Error())
		}
	}
	return r
}

// Add lets a node join while the ring is in use. Everybody who shares the nodes should do the same
// soon: until then they look for the moved keys in different places.
func (r *Ring) Add(n Node) error {
	node, err := r.newNode(n)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	view := r.view.Load()
	switch {
	case r.closed.Load():
		return ErrClosed
	case view.find(n.Name) != nil:
		return fmt.Errorf("store: the ring has a node %q", n.Name)
	}
	for w := range r.watches { // before the node has keys of which one might hear
		w.add(node)
	}
	r.view.Store(newRingView(append(slices.Clone(view.nodes), node)))
	for w := range r.watches {
		w.tell(nil, Event{Kind: Cleared})
	}
	return nil
}

func (r *Ring) newNode(n Node) (*ringNode, error) {
	if n.Weight == 0 {
		n.Weight = 1
	}
	switch {
	case n.Name == "":
		return nil, errors.New("store: a node without a name")
	case n.Store == nil:
		return nil, fmt.Errorf("store: node %q has no store", n.Name)
	case !(n.Weight > 0) || math.IsInf(n.Weight, 0) || math.IsInf(1/n.Weight, 0):
		return nil, fmt.Errorf("store: node %q has the weight %v", n.Name, n.Weight)
	}
	o := GuardOptions{
		Timeout: r.options.Timeout, Failures: r.options.Failures, Cooldown: r.options.Cooldown,
	}
	if tell := r.options.OnChange; tell != nil {
		o.OnChange = func(s GuardState) { tell(n.Name, s) }
	}
	return &ringNode{name: n.Name, weight: n.Weight, guard: NewGuard(n.Store, o)}, nil
}

// Remove lets a node leave while the ring is in use, and closes its store: its keys are those of
// the others from now on. Operations that are under way on it may fail as if it were down. Without
// such a node it does nothing.
func (r *Ring) Remove(name string) error {
	r.mu.Lock()
	view := r.view.Load()
	node := view.find(name)
	if node == nil {
		r.mu.Unlock()
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(view.nodes), func(n *ringNode) bool { return n == node })
	r.view.Store(newRingView(rest))
	for w := range r.watches {
		w.remove(node)
	}
	r.mu.Unlock()
	return node.guard.Close()
}

// Node returns the name of the node that has key, "" where there are none.
func (r *Ring) Node(key string) string {
	if n := r.view.Load().pick(key); n != nil {
		return n.name
	}
	return ""
}

// Stats returns the numbers of every node, in the order of their names.
func (r *Ring) Stats() []NodeStats {
	var all []NodeStats
	for _, n := range r.view.Load().nodes {
		all = append(all, NodeStats{
			n.name, n.weight, n.guard.Stats(), n.hits.Load(), n.misses.Load(), n.missed.Load(),
		})
	}
	return all
}

// Close implements [Store] and closes the stores of all nodes.
func (r *Ring) Close() error {
	r.mu.Lock()
	r.closed.Store(true)
	watches := r.watches
	r.watches = map[*ringWatch]none{}
	r.mu.Unlock()
	for w := range watches {
		w.end()
	}
	return r.onAll(func(n *ringNode) error { return n.guard.Close() })
}

// onAll calls f for all nodes at a time and returns the errors, each with the name of its node.
func (r *Ring) onAll(f func(*ringNode) error) error {
	nodes := r.view.Load().nodes
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, n := range nodes {
		wg.Go(func() {
			if err := f(n); err != nil {
				errs[i] = fmt.Errorf("node %s: %w", n.name, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
