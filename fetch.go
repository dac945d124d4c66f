// fetch.go is the way of one value through the levels: from where it is, to where it is kept.

package larder

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/larder-go/larder/store"
)

// fetch is one key on its way.
type fetch[K comparable, V any] struct {
	key    K
	name   string // in the store
	call   *call[V]
	old    held[V]     // what is served if the origin fails, and what Reload gets
	newer  int64       // of a refresh: what the store has must be younger, in nanoseconds of Unix time
	lease  store.Lease // nil without one
	commit store.Lease // by which the store takes the value: the same, unless Leases gave that one
	writes bool        // what is loaded may be stored
	looked bool        // the store was read
	stored bool        // it came from the store
	spare  bool        // old came from the store
	stays  bool        // the origin has failed, and memory has what is served instead
	behind bool        // nobody waits for it
	asked  bool        // by GetMany, which has counted a miss
}

// errElsewhere ends a refresh behind that another process is about to do.
var errElsewhere = errors.New("larder: another process loads it")

// errUnread says that the store could not be read, so that nothing else need be asked of it.
var errUnread = errors.New("larder: the store cannot be read")

// origin is what the origin has brought.
type origin[V any] struct {
	entry  Entry[V]
	absent error // it has no such thing, and that is remembered
	begun  time.Time
	took   time.Duration
}

// fromStore looks into the store, and where it does not find the value takes the lease of the key,
// or waits for whoever has it. It returns neither a value nor an error if it is time to ask the
// origin.
func (c *Cache[K, V]) fromStore(ctx context.Context, f *fetch[K, V]) (*newcomer[K, V], error) {
	if err := c.nameIt(f); err != nil {
		return nil, c.unlessLoads()
	}
	for {
		n, err := c.readStore(ctx, f)
		if errors.Is(err, errUnread) && c.loads() {
			return nil, nil
		}
		if n != nil || err != nil {
			return n, err
		}
		if f.lease != nil || !c.loads() {
			return nil, c.unlessLoads()
		}
		err = c.takeLease(ctx, f)
		switch {
		case err == nil: // look again: who had it before may have stored a value
		case errors.Is(err, errors.ErrUnsupported):
			return nil, nil
		case errors.Is(err, store.ErrLeased) && f.behind:
			return nil, errElsewhere
		case errors.Is(err, store.ErrLeased) && c.awaitLease(ctx, f.name):
		case ctx.Err() != nil: // nobody waits any more
			return nil, ctx.Err()
		default:
			c.tier.fail("lease", err)
			return nil, nil
		}
	}
}

// takeLease takes the lease of f, if it is free. Where others give it than the store, it takes that
// of the store besides, by which an overtaken load is found out.
func (c *Cache[K, V]) takeLease(ctx context.Context, f *fetch[K, V]) (err error) {
	f.lease, err = c.tier.leases.TryLease(ctx, f.name)
	f.commit = f.lease
	if err == nil && c.tier.leases != store.Leaser(c.tier.store) {
		f.commit, err = c.tier.store.TryLease(ctx, f.name)
		f.writes = err == nil || errors.Is(err, errors.ErrUnsupported)
		return nil
	}
	f.writes = err == nil || errors.Is(err, errors.ErrUnsupported)
	return err
}

// release ends the leases of f.
func (f *fetch[K, V]) release() {
	if f.lease != nil {
		f.lease.Release()
	}
	if f.commit != nil && f.commit != f.lease {
		f.commit.Release()
	}
}

// token returns the fencing token of f, 0 if there is none.
func (f *fetch[K, V]) token() uint64 {
	switch {
	case f.lease != nil && f.lease.Token() != 0:
		return f.lease.Token()
	case f.commit != nil:
		return f.commit.Token()
	}
	return 0
}

// nameIt finds out what the key of f is called in the store.
func (c *Cache[K, V]) nameIt(f *fetch[K, V]) (err error) {
	if f.name != "" {
		return nil
	}
	if f.name, err = c.tier.name(&c.names, f.key); err != nil {
		f.name = ""
		c.tier.fail("name", err)
	}
	return err
}

// unlessLoads returns ErrNotFound if there is no origin to ask.
func (c *Cache[K, V]) unlessLoads() error {
	if c.loads() {
		return nil
	}
	return ErrNotFound
}

// awaitLease waits until the lease of name may be free. It returns false if that cannot be known.
func (c *Cache[K, V]) awaitLease(ctx context.Context, name string) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.open, cancel)()
	return c.tier.leases.AwaitLease(ctx, name) == nil
}

// readStore returns what the store has, if that is of use. What may only be served if the origin
// fails is kept in f.
func (c *Cache[K, V]) readStore(ctx context.Context, f *fetch[K, V]) (*newcomer[K, V], error) {
	s, err := c.tier.read(ctx, f.name)
	if ctx.Err() != nil { // that is not the store's fault
		return nil, ctx.Err()
	}
	if !f.looked || !errors.Is(err, ErrNotFound) { // one miss is enough
		c.tier.count(err)
	}
	f.looked = true
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	return c.welcome(f, s)
}

// welcome makes an entry of what was stored, if it is of use for f.
func (c *Cache[K, V]) welcome(f *fetch[K, V], s stored[V]) (*newcomer[K, V], error) {
	l := c.lifeOfItem(s)
	now := c.engine.clock.now()
	state := c.engine.rules.at(l, now, 1)
	switch {
	case f.newer != 0 && l.created <= f.newer:
		return nil, nil
	case state <= due, state == stale && f.newer == 0:
		f.stored = true
		return c.newcomer(f, s.value, l, 0)
	case state < gone && f.old.state == gone && l.absent == nil:
		f.old, f.spare = held[V]{whole[V]{v: s.value}, l, kept}, true
		f.call.offer(s.value)
	}
	return nil, nil
}

// lifeOfItem returns the life of what was stored.
func (c *Cache[K, V]) lifeOfItem(s stored[V]) *life {
	e := c.engine
	l := &life{
		created: s.item.Created.UnixNano(), fresh: e.clock.of(s.item.FreshUntil), took: s.took,
		tags: s.item.Tags, marks: s.item.Validators,
	}
	if s.absent {
		l.absent = ErrNotFound
	}
	l.due = e.rules.dueAt(l.fresh, s.item.FreshUntil.Sub(s.item.Created))
	l.gone = min(c.goneOf(l), e.clock.of(s.item.GoneAfter))
	return l
}

// goneOf returns from when on a value is never served.
func (c *Cache[K, V]) goneOf(l *life) int64 {
	if l.absent != nil {
		return l.fresh
	}
	return c.engine.rules.gone(l.fresh)
}

// arrive makes an entry of what the origin has brought.
func (c *Cache[K, V]) arrive(f *fetch[K, V], got origin[V]) (*newcomer[K, V], error) {
	l := c.newLife(got)
	n, err := c.newcomer(f, got.entry.Value, l, got.entry.Weight)
	if err == nil {
		n.unkept = got.entry.TTL < 0
	}
	return n, err
}

// newLife begins the life of a value that was loaded or set.
func (c *Cache[K, V]) newLife(got origin[V]) *life {
	e, o := got.entry, &c.engine.options
	ttl := e.TTL
	if ttl == 0 {
		ttl = jittered(o.TTL, o.Jitter, rand.Float64())
	}
	l := &life{
		created: got.begun.UnixNano(), fresh: never, took: got.took, absent: got.absent,
		tags: slices.Clone(e.Tags), marks: e.Validators,
	}
	if ttl != Forever {
		l.fresh = c.engine.clock.after(ttl)
	}
	l.due = c.engine.rules.dueAt(l.fresh, ttl)
	l.gone = c.goneOf(l)
	return l
}

// newcomer makes an entry of a value and its life. Weigh may panic.
func (c *Cache[K, V]) newcomer(
	f *fetch[K, V], value V, l *life, weight int64,
) (n *newcomer[K, V], err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, &PanicError{p, debug.Stack()}
		}
	}()
	n = &newcomer[K, V]{key: whole[K]{v: f.key}, value: whole[V]{v: value}, life: l}
	if weigh := c.engine.options.Weigh; weigh != nil {
		n.weight = uint64(max(weight, 0))
		switch {
		case l.absent != nil: // there is no value to weigh
			n.weight = 1
		case weight == 0:
			n.weight = uint64(max(weigh(f.key, value), 1))
		}
	}
	if c.tier != nil && c.names.key == nil {
		l.name = strings.TrimPrefix(f.name, c.tier.head)
	}
	return n, nil
}

// admit fills in what memory needs to know of an entry: for how long it may be kept here, which is
// less than elsewhere while changes go unheard.
func (c *Cache[K, V]) admit(n *newcomer[K, V]) {
	l := n.life
	now := c.engine.clock.now()
	if c.lost.Load() != 0 {
		l.fresh = min(l.fresh, after(now, c.engine.options.LostTTL))
		l.gone, l.strict = min(l.gone, c.goneOf(l)), true
	}
	if c.needsLife(l) {
		c.engine.complete(n, Forever)
		return
	}
	n.life = nil
	ttl := Forever
	if l.gone != never {
		ttl = time.Duration(l.gone - now)
	}
	c.engine.complete(n, ttl)
}

// needsLife tells whether there is more to say of a value than a deadline.
func (c *Cache[K, V]) needsLife(l *life) bool {
	return c.engine.options.Reload != nil || !c.engine.rules.trivial() || l.absent != nil ||
		len(l.tags) > 0 || l.name != "" || l.marks != store.Validators{}
}

// finish lets all who wait have what a fetch has brought, n, or the error; then keeps it, in the
// store and in memory, unless its key was set or deleted meanwhile.
func (c *Cache[K, V]) finish(f *fetch[K, V], n *newcomer[K, V], err error) {
	c.engine.tellOf(c.settle(f, n, err))
}

// settle is finish that leaves it to the caller to tell of those who had to leave.
func (c *Cache[K, V]) settle(
	f *fetch[K, V], n *newcomer[K, V], err error,
) (gone []departure[K, V]) {
	defer close(f.call.settled)
	n, err = c.fallBack(f, n, err)
	void := false
	f.call.bring(valueOf(n, err))
	if c.tier == nil {
		defer close(f.call.done) // when it is in memory
	} else {
		close(f.call.done) // nobody waits for the store
		void = c.keepInStore(f, n, err)
	}
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	if c.calls.byKey[f.key] != f.call {
		return nil
	}
	switch {
	case f.stays, f.call.doubted, n == nil && !isAbsent(err):
	case n == nil || n.unkept || void: // what the origin has no more, or what somebody has changed
		if c.calls.keepsLocked(f.key, f.call, nil) {
			gone, _ = c.engine.take(f.key)
		}
	case c.calls.keepsLocked(f.key, f.call, n.life.tags):
		c.admit(n)
		gone = c.engine.setLoaded(n, f.replaces())
	}
	c.calls.removeLocked(f.key)
	return gone
}

// replaces returns the value that a refresh may replace.
func (f *fetch[K, V]) replaces() *whole[V] {
	if f.newer == 0 {
		return nil
	}
	return &f.old.value
}

// isAbsent tells whether the origin has said that it does not have a key. A panic never means that.
func isAbsent(err error) bool {
	var panicked *PanicError
	return errors.Is(err, ErrNotFound) && !errors.As(err, &panicked)
}

// fallBack returns the old value where the origin has failed, if that may still be served.
func (c *Cache[K, V]) fallBack(
	f *fetch[K, V], n *newcomer[K, V], err error,
) (*newcomer[K, V], error) {
	if err == nil || isAbsent(err) || errors.Is(err, errElsewhere) || f.call.left.Load() {
		return n, err
	}
	if f.behind {
		c.report(fmt.Errorf("refresh of %v: %w", f.key, err))
	}
	l := f.old.life
	now := c.engine.clock.now()
	if l == nil || c.engine.rules.at(l, now, 1) == gone {
		return nil, err
	}
	l.next.Store(after(now, c.engine.options.RetryAfter))
	if !f.behind {
		c.counts.stale.Add(1)
		c.report(fmt.Errorf("load of %v, whose old value is served: %w", f.key, err))
	}
	f.call.failed = err
	f.stored = true
	if f.stays = !f.spare; f.stays { // memory has it; else it came from the store
		return &newcomer[K, V]{key: whole[K]{v: f.key}, value: f.old.value, life: l}, nil
	}
	n, bad := c.newcomer(f, f.old.value.v, l, 0)
	if bad != nil {
		return nil, err
	}
	return n, nil
}

// keepInStore keeps what the origin has brought in the store, or deletes what it has no more. void
// tells that somebody has changed the key meanwhile.
func (c *Cache[K, V]) keepInStore(f *fetch[K, V], n *newcomer[K, V], err error) (void bool) {
	defer f.release()
	if f.stored || !f.writes {
		return false
	}
	if n == nil || n.unkept {
		if n != nil || isAbsent(err) {
			c.deleteStored(f)
		}
		return false
	}
	switch err := c.writeStore(f, n); {
	case errors.Is(err, store.ErrVoid):
		c.tier.voided.Add(1)
		return true
	case err != nil:
		c.tier.fail("write", err)
	}
	return false
}

// deleteStored deletes an item of which the origin says that it is no more, if there was one.
func (c *Cache[K, V]) deleteStored(f *fetch[K, V]) {
	if f.old.life == nil && f.newer == 0 {
		return
	}
	if end, ok := c.calls.beginKeeping(f.key, f.call, nil); ok {
		defer end()
		if err := c.tier.delete(context.Background(), f.name); err != nil {
			c.report(err)
		}
	}
}

// writeStore stores a value that was loaded. A lease with a token tells by itself whether somebody
// has changed the key since it was taken; what was heard of meanwhile may have happened before.
func (c *Cache[K, V]) writeStore(f *fetch[K, V], n *newcomer[K, V]) error {
	item, err := c.tier.item(n.value.v, n.life, &c.engine.clock)
	if err != nil {
		return err
	}
	ctx := context.Background() // the store has its own time limit
	if f.commit != nil && f.commit.Token() != 0 {
		return f.commit.Set(ctx, item)
	}
	return c.writeInTurn(ctx, f, item, n.life.tags)
}

// writeInTurn is writeStore where nothing but this process can tell. It takes the turn of the key,
// so that whoever changes the key in this process does so before, or after; and whoever has deleted
// more than a key meanwhile has deleted this.
func (c *Cache[K, V]) writeInTurn(
	ctx context.Context, f *fetch[K, V], item store.Item, tags []string,
) error {
	end, ok := c.calls.beginKeeping(f.key, f.call, tags)
	if !ok {
		return store.ErrVoid
	}
	defer end()
	if err := c.setStored(ctx, f, item); err != nil {
		return err
	}
	if !c.calls.stillKeeps(f.key, f.call, tags) {
		c.tier.delete(ctx, f.name)
		return store.ErrVoid
	}
	return nil
}

// setStored sets an item by the lease of f, or else if the lease is still valid.
func (c *Cache[K, V]) setStored(ctx context.Context, f *fetch[K, V], item store.Item) error {
	if f.commit != nil {
		err := f.commit.Set(ctx, item)
		if !errors.Is(err, errors.ErrUnsupported) {
			return err
		}
	}
	if v, ok := f.lease.(interface{ Valid() bool }); ok && !v.Valid() {
		return store.ErrVoid
	}
	return c.tier.store.Set(ctx, f.name, item)
}

// valueOf returns what those get who wait: a value, or an error.
func valueOf[K comparable, V any](n *newcomer[K, V], err error) (v V, _ error) {
	switch {
	case err != nil:
		return v, err
	case n.life.absent != nil:
		return v, n.life.absent
	}
	return n.value.v, nil
}
