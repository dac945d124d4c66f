// faulty.go is a store for tests that fails, hangs, is late or answers garbage on demand.

package storetest

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
)

// Faulty is a view of a store that does what bad days do, from the moment it is told until
// [Faulty.Heal]: for tests of what stands in front of a store. Only one fault is in force at a
// time. It can do what the store below can. Closing it closes the store.
type Faulty struct {
	store store.Store
	calls atomic.Uint64

	mu    sync.Mutex // guards the fields below
	fault fault
	where func(op, key string) bool
}

// fault is what goes wrong, and when it is over.
type fault struct {
	err    error
	late   time.Duration
	hangs  bool
	garble bool
	healed chan struct{}
}

// NewFaulty returns a view of s without a fault.
func NewFaulty(s store.Store) *Faulty {
	f := &Faulty{store: s}
	f.Heal()
	return f
}

// Fail lets every operation return err, without asking the store below.
func (f *Faulty) Fail(err error) { f.put(fault{err: err}) }

// Hang lets every operation wait until its context ends or the fault is over. What has no context,
// such as Release of a lease, waits for the latter.
func (f *Faulty) Hang() { f.put(fault{hangs: true}) }

// Delay lets every operation begin d later, if its context does not end before. Heal does not
// hurry those that wait.
func (f *Faulty) Delay(d time.Duration) { f.put(fault{late: d}) }

// Garble lets Get and GetMany return values that nobody has set: half as long, all bits flipped.
func (f *Faulty) Garble() { f.put(fault{garble: true}) }

// Heal ends the fault. Operations that hang go on.
func (f *Faulty) Heal() { f.put(fault{}) }

// Where limits faults to operations for which where reports true; nil means all. op is the name of
// the method, key its key or tag, "" where there is none.
func (f *Faulty) Where(where func(op, key string) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.where = where
}

// Calls returns how many operations have begun, whether they failed or not.
func (f *Faulty) Calls() uint64 { return f.calls.Load() }

func (f *Faulty) put(next fault) {
	next.healed = make(chan struct{})
	f.mu.Lock()
	last := f.fault
	f.fault = next
	f.mu.Unlock()
	if last.healed != nil {
		close(last.healed)
	}
}

func (f *Faulty) of(op, key string) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.where != nil && !f.where(op, key) {
		return fault{}
	}
	return f.fault
}

// suffer is the beginning of every operation.
func (f *Faulty) suffer(ctx context.Context, op, key string) error {
	f.calls.Add(1)
	now := f.of(op, key)
	if now.late > 0 {
		late, cancel := context.WithTimeout(ctx, now.late)
		defer cancel()
		<-late.Done()
		return ctx.Err()
	}
	if now.hangs {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-now.healed:
		}
	}
	return now.err
}

// garbled spoils a value where that is the fault.
func (f *Faulty) garbled(op, key string, item store.Item) store.Item {
	if !f.of(op, key).garble {
		return item
	}
	item.Value = item.Value[:len(item.Value)/2]
	for i := range item.Value {
		item.Value[i] = ^item.Value[i]
	}
	return item
}

// Get implements [store.Store].
func (f *Faulty) Get(ctx context.Context, key string) (store.Item, error) {
	if err := f.suffer(ctx, "Get", key); err != nil {
		return store.Item{}, err
	}
	item, err := f.store.Get(ctx, key)
	return f.garbled("Get", key, item), err
}

// Set implements [store.Store].
func (f *Faulty) Set(ctx context.Context, key string, item store.Item) error {
	if err := f.suffer(ctx, "Set", key); err != nil {
		return err
	}
	return f.store.Set(ctx, key, item)
}

// Delete implements [store.Store].
func (f *Faulty) Delete(ctx context.Context, key string) error {
	if err := f.suffer(ctx, "Delete", key); err != nil {
		return err
	}
	return f.store.Delete(ctx, key)
}

// Close implements [store.Store]. It never fails because of a fault.
func (f *Faulty) Close() error { return f.store.Close() }

// GetMany implements [store.ManyGetter].
func (f *Faulty) GetMany(ctx context.Context, keys []string) (map[string]store.Item, error) {
	if err := f.suffer(ctx, "GetMany", ""); err != nil {
		return nil, err
	}
	items, err := store.GetMany(ctx, f.store, keys)
	for key, item := range items {
		items[key] = f.garbled("GetMany", key, item)
	}
	return items, err
}

// SetMany implements [store.ManySetter].
func (f *Faulty) SetMany(ctx context.Context, items map[string]store.Item) error {
	if err := f.suffer(ctx, "SetMany", ""); err != nil {
		return err
	}
	return store.SetMany(ctx, f.store, items)
}

// List implements [store.Lister].
func (f *Faulty) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return func(yield func(store.Info, error) bool) {
		if err := f.suffer(ctx, "List", prefix); err != nil {
			yield(store.Info{}, err)
			return
		}
		store.List(ctx, f.store, prefix)(yield)
	}
}

// DeleteTag implements [store.TagDeleter].
func (f *Faulty) DeleteTag(ctx context.Context, tag string) error {
	if err := f.suffer(ctx, "DeleteTag", tag); err != nil {
		return err
	}
	return store.DeleteTag(ctx, f.store, tag)
}

// Clear implements [store.Clearer].
func (f *Faulty) Clear(ctx context.Context) error {
	if err := f.suffer(ctx, "Clear", ""); err != nil {
		return err
	}
	return store.Clear(ctx, f.store)
}

// DeletePrefix implements [store.PrefixDeleter].
func (f *Faulty) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	if err := f.suffer(ctx, "DeletePrefix", prefix); err != nil {
		return 0, err
	}
	return store.DeletePrefix(ctx, f.store, prefix)
}

// Open implements [store.Streamer].
func (f *Faulty) Open(ctx context.Context, key string) (store.Item, store.Reader, error) {
	if err := f.suffer(ctx, "Open", key); err != nil {
		return store.Item{}, nil, err
	}
	return store.Open(ctx, f.store, key)
}

// Create implements [store.Streamer]. Where the store below is none, a value may have 64 MiB.
func (f *Faulty) Create(ctx context.Context, key string, item store.Item) (store.Writer, error) {
	if err := f.suffer(ctx, "Create", key); err != nil {
		return nil, err
	}
	return store.Create(ctx, f.store, key, item, 64<<20)
}

// TryLease implements [store.Leaser].
func (f *Faulty) TryLease(ctx context.Context, key string) (store.Lease, error) {
	if err := f.suffer(ctx, "TryLease", key); err != nil {
		return nil, err
	}
	l, err := store.TryLease(ctx, f.store, key)
	if err != nil {
		return nil, err
	}
	return &faultyLease{l, f, key}, nil
}

// faultyLease suffers with its store. A Release that fails is one that never arrives.
type faultyLease struct {
	store.Lease
	view *Faulty
	key  string
}

func (l *faultyLease) Set(ctx context.Context, item store.Item) error {
	if err := l.view.suffer(ctx, "Lease.Set", l.key); err != nil {
		return err
	}
	return l.Lease.Set(ctx, item)
}

func (l *faultyLease) Release() {
	if l.view.suffer(context.Background(), "Lease.Release", l.key) == nil {
		l.Lease.Release()
	}
}

// AwaitLease implements [store.Leaser].
func (f *Faulty) AwaitLease(ctx context.Context, key string) error {
	if err := f.suffer(ctx, "AwaitLease", key); err != nil {
		return err
	}
	return store.AwaitLease(ctx, f.store, key)
}

// Watch implements [store.Watcher]: events are those of the store below, whatever the fault.
func (f *Faulty) Watch(hear func(store.Event)) (stop func()) { return store.Watch(f.store, hear) }
