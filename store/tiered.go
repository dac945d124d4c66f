// tiered.go puts a fast store in front of a slow one.

package store

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Tiered keeps items in a slow store and copies of them in a fast one: a disk in front of a Redis.
// The slow store is the truth: what it does not take is not set, what it says is gone is gone, and
// leases, lists and events are its own. The fast store may fail as it likes: no operation fails
// because of it. Where either may hang, put a [Guard] around it. Closing a Tiered closes both; it
// must not be closed by who hears its events.
//
//   - Get and GetMany ask the fast store, then the slow one, and copy what they find there to the
//     fast one.
//   - Set goes to the slow store first: an item that only the fast one has would be seen by none
//     but this process. Delete, too: had the fast one forgotten first, a Get between the two would
//     bring the old item back to it. Until they return the old item may be served.
//   - What others change in the slow store is forgotten by the fast one, if the slow one is a
//     [Watcher]: from the first use until Close. While the link is lost the fast store goes on
//     serving what it has, and takes nothing new; when the link is back it is cleared. What was
//     changed before the first use nobody tells: clear a fast store that outlives its process
//     before you use it, or give items a GoneAfter you can live with.
//   - A fast store that fails to forget is not asked any more by this process until it was cleared;
//     one that can neither list its keys nor clear itself, never.
//
// Values that are streamed are not copied to the fast store.
type Tiered struct {
	fast, slow Store
	keys       tieredKeys
	linked     atomic.Bool // what others change is heard of
	suspect    atomic.Bool // the fast store may have what it should have forgotten
	start      time.Time
	mendAt     atomic.Int64 // nanoseconds since start
	counts     tieredCounts
	relay      tieredRelay
}

// TieredStats count what a [Tiered] has done since it was made.
type TieredStats struct {
	FastHits  uint64 // keys found in the fast store
	SlowHits  uint64 // keys found in the slow store
	Misses    uint64 // keys found in neither
	Failed    uint64 // keys not found in the fast store, of which the slow one could say nothing
	Fills     uint64 // items copied to the fast store
	Errors    uint64 // operations of the fast store that failed
	Forgotten uint64 // events of the slow store after which the fast one has forgotten something
	Suspect   bool   // the fast store is not asked: it could not forget, and is to be cleared
}

type tieredCounts struct {
	fastHits, slowHits, misses, failed, fills, errors, forgotten atomic.Uint64
}

// slow counts keys of which the slow store has found some, or what it said instead.
func (c *tieredCounts) slow(keys, found int, err error) {
	c.slowHits.Add(uint64(found))
	rest := uint64(max(0, keys-found))
	if err == nil || errors.Is(err, ErrNotFound) {
		c.misses.Add(rest)
	} else {
		c.failed.Add(rest)
	}
}

// fastLimit is how long a change of the fast store may take.
const fastLimit = time.Second

// mendAfter is how long after a failure the fast store is cleared, and again after every try.
const mendAfter = time.Second

// NewTiered returns a store that keeps items in slow and copies of them in fast.
func NewTiered(fast, slow Store) *Tiered {
	t := &Tiered{fast: fast, slow: slow, start: time.Now()}
	t.relay.tiered = t
	return t
}

// Stats returns the numbers so far.
func (t *Tiered) Stats() TieredStats {
	return TieredStats{
		FastHits: t.counts.fastHits.Load(), SlowHits: t.counts.slowHits.Load(),
		Misses: t.counts.misses.Load(), Failed: t.counts.failed.Load(),
		Fills: t.counts.fills.Load(), Errors: t.counts.errors.Load(),
		Forgotten: t.counts.forgotten.Load(), Suspect: t.suspect.Load(),
	}
}

// tieredKeys orders what happens to the fast store. Keys share stripes.
//
// A copy for the fast store was read from the slow one at some time, or set there. It is kept only
// if, since then, nobody has begun or ended to change its stripe: else it may be older than what
// the slow store has. Of changes that overlap nobody knows which the slow store did last: all of
// them forget. The lock of a stripe is held during the call of the fast store, so that a copy that
// was found good is not written after it was forgotten.
type tieredKeys struct {
	stripes [64]struct {
		sync.Mutex
		writers int // changes under way; guarded by the lock
		version atomic.Uint64
		pending atomic.Int64 // events that the fast store has to forget something for
	}
}

// scope is a set of stripes in rising order, which is the order in which they are locked.
type scope []int

func (k *tieredKeys) of(key string) int {
	return int(mix64(hashText(key)) % uint64(len(k.stripes)))
}

func (k *tieredKeys) scopeOf(keys iter.Seq[string]) scope {
	var in [len(k.stripes)]bool
	for key := range keys {
		in[k.of(key)] = true
	}
	var s scope
	for i, ok := range in {
		if ok {
			s = append(s, i)
		}
	}
	return s
}

func (k *tieredKeys) all() scope {
	s := make(scope, len(k.stripes))
	for i := range s {
		s[i] = i
	}
	return s
}

func (k *tieredKeys) lock(s scope) {
	for _, i := range s {
		k.stripes[i].Lock()
	}
}

func (k *tieredKeys) unlock(s scope) {
	for _, i := range s {
		k.stripes[i].Unlock()
	}
}

func (k *tieredKeys) versions(s scope) []uint64 {
	all := make([]uint64, len(s))
	for i, stripe := range s {
		all[i] = k.stripes[stripe].version.Load()
	}
	return all
}

// touch voids copies that are on their way. It takes no lock.
func (k *tieredKeys) touch(s scope) {
	for _, i := range s {
		k.stripes[i].version.Add(1)
	}
}

// begin is the beginning of a change. alone says that no other is under way.
func (k *tieredKeys) begin(s scope) (versions []uint64, alone bool) {
	k.lock(s)
	defer k.unlock(s)
	k.touch(s)
	alone = true
	for _, i := range s {
		alone = alone && k.stripes[i].writers == 0
		k.stripes[i].writers++
	}
	return k.versions(s), alone
}

// endLocked is the end of a change. It needs the locks of s.
func (k *tieredKeys) endLocked(s scope) {
	for _, i := range s {
		k.stripes[i].writers--
	}
	k.touch(s)
}

// change makes a change in the slow store, then keeps its copy or forgets what it changed. Also a
// change that failed may have been made.
func (t *Tiered) change(ctx context.Context, s scope, c tieredChange) error {
	t.relay.start()
	versions, alone := t.keys.begin(s)
	err := c.slow()
	fastCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fastLimit)
	defer cancel()
	t.keys.lock(s)
	defer t.keys.unlock(s)
	keep := err == nil && c.keep != nil && alone && t.fills() &&
		slices.Equal(t.keys.versions(s), versions)
	t.keys.endLocked(s)
	if keep && t.worked(c.keep(fastCtx)) {
		return nil
	}
	t.forgot(c.forget(fastCtx))
	return err
}

// tieredChange is what a change does to each store.
type tieredChange struct {
	slow         func() error
	keep, forget func(context.Context) error // keep is nil where nothing is kept
}

// fills reports whether copies may be kept.
func (t *Tiered) fills() bool { return t.linked.Load() && !t.suspect.Load() }

// worked counts an operation of the fast store that failed.
func (t *Tiered) worked(err error) bool {
	if err != nil {
		t.counts.errors.Add(1)
	}
	return err == nil
}

// forgot takes note of whether the fast store has forgotten what it was to forget.
func (t *Tiered) forgot(err error) {
	if !t.worked(err) && !errors.Is(err, ErrInvalidKey) {
		t.mendAt.Store(int64(time.Since(t.start) + mendAfter))
		t.suspect.Store(true)
	}
}

// trusts reports whether the fast store may be asked. If not, it is cleared in the background when
// that is due.
func (t *Tiered) trusts() bool {
	if !t.suspect.Load() {
		return true
	}
	now, due := int64(time.Since(t.start)), t.mendAt.Load()
	if now >= due && t.mendAt.CompareAndSwap(due, now+int64(mendAfter+fastLimit)) {
		t.relay.mend()
	}
	return false
}

// upToDate reports whether no event waits that may concern key.
func (t *Tiered) upToDate(key string) bool {
	return t.keys.stripes[t.keys.of(key)].pending.Load() == 0
}

// clearFast forgets everything. It is what mends a suspect fast store.
func (t *Tiered) clearFast() {
	ctx, cancel := context.WithTimeout(context.Background(), fastLimit)
	defer cancel()
	s := t.keys.all()
	t.keys.lock(s)
	defer t.keys.unlock(s)
	t.keys.touch(s)
	err := Clear(ctx, t.fast)
	t.forgot(err)
	if err == nil {
		t.suspect.Store(false)
	}
}

// forgetTag forgets what has tag, and everything in a fast store that knows no tags.
func (t *Tiered) forgetTag(ctx context.Context, tag string) error {
	err := DeleteTag(ctx, t.fast, tag)
	if errors.Is(err, errors.ErrUnsupported) {
		return Clear(ctx, t.fast)
	}
	return err
}

// Get implements [Store].
func (t *Tiered) Get(ctx context.Context, key string) (Item, error) {
	t.relay.start()
	if t.trusts() && t.upToDate(key) {
		item, err := t.fast.Get(ctx, key)
		if err == nil {
			t.counts.fastHits.Add(1)
			return item, nil
		}
		t.missed(err)
	}
	stripe := t.keys.of(key)
	version := t.keys.stripes[stripe].version.Load()
	item, err := t.slow.Get(ctx, key)
	if err != nil {
		t.counts.slow(1, 0, err)
		return Item{}, err
	}
	t.counts.slow(1, 1, nil)
	t.fill(ctx, scope{stripe}, []uint64{version}, map[string]Item{key: item})
	return item, nil
}

// missed counts what the fast store says other than that it has not got it.
func (t *Tiered) missed(err error) {
	if isFailure(err) || errors.Is(err, ErrClosed) {
		t.counts.errors.Add(1)
	}
}

// fill keeps copies of what was read from the slow store. It does not wait for those who change the
// same stripes: they know better.
func (t *Tiered) fill(ctx context.Context, s scope, versions []uint64, items map[string]Item) {
	if !t.fills() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, fastLimit)
	defer cancel()
	var good [len(t.keys.stripes)]bool
	for i, stripe := range s {
		at := &t.keys.stripes[stripe]
		if !at.TryLock() {
			continue
		}
		defer at.Unlock()
		good[stripe] = at.version.Load() == versions[i]
	}
	copies := maps.Clone(items)
	maps.DeleteFunc(copies, func(key string, _ Item) bool { return !good[t.keys.of(key)] })
	if len(copies) > 0 && t.worked(setAll(ctx, t.fast, copies)) {
		t.counts.fills.Add(uint64(len(copies)))
	}
}

// setAll is SetMany without its goroutines where there is one item.
func setAll(ctx context.Context, s Store, items map[string]Item) error {
	if len(items) == 1 {
		for key, item := range items {
			return s.Set(ctx, key, item)
		}
	}
	return SetMany(ctx, s, items)
}

// Set implements [Store].
func (t *Tiered) Set(ctx context.Context, key string, item Item) error {
	item = created(item)
	return t.change(ctx, scope{t.keys.of(key)}, tieredChange{
		slow:   func() error { return t.slow.Set(ctx, key, item) },
		keep:   func(ctx context.Context) error { return t.fast.Set(ctx, key, item) },
		forget: func(ctx context.Context) error { return t.fast.Delete(ctx, key) },
	})
}

// created gives both copies of an item the same time.
func created(item Item) Item {
	if item.Created.IsZero() {
		item.Created = time.Now()
	}
	return item
}

// Delete implements [Store].
func (t *Tiered) Delete(ctx context.Context, key string) error {
	return t.change(ctx, scope{t.keys.of(key)}, tieredChange{
		slow:   func() error { return t.slow.Delete(ctx, key) },
		forget: func(ctx context.Context) error { return t.fast.Delete(ctx, key) },
	})
}

// Close implements [Store] and closes both.
func (t *Tiered) Close() error {
	t.relay.close()
	return errors.Join(t.fast.Close(), t.slow.Close())
}

// GetMany implements [ManyGetter]: the slow store is asked once, for what the fast one has not got.
func (t *Tiered) GetMany(ctx context.Context, keys []string) (map[string]Item, error) {
	t.relay.start()
	all := make(map[string]Item, len(keys))
	if t.trusts() {
		stale := func(key string) bool { return !t.upToDate(key) }
		items, err := GetMany(ctx, t.fast, slices.DeleteFunc(slices.Clone(keys), stale))
		if err != nil {
			t.missed(err)
		}
		maps.Copy(all, items)
	}
	missing := make([]string, 0, len(keys)-len(all))
	for _, key := range keys {
		if _, ok := all[key]; !ok {
			missing = append(missing, key)
		}
	}
	t.counts.fastHits.Add(uint64(len(all)))
	if len(missing) == 0 {
		return all, ctx.Err()
	}
	s := t.keys.scopeOf(slices.Values(missing))
	versions := t.keys.versions(s)
	items, err := GetMany(ctx, t.slow, missing)
	t.counts.slow(len(missing), len(items), err)
	t.fill(ctx, s, versions, items)
	maps.Copy(all, items)
	return all, err
}

// SetMany implements [ManySetter].
func (t *Tiered) SetMany(ctx context.Context, items map[string]Item) error {
	now := make(map[string]Item, len(items))
	for key, item := range items {
		if err := CheckKey(key); err != nil {
			return err
		}
		now[key] = created(item)
	}
	return t.change(ctx, t.keys.scopeOf(maps.Keys(now)), tieredChange{
		slow: func() error { return SetMany(ctx, t.slow, now) },
		keep: func(ctx context.Context) error { return SetMany(ctx, t.fast, now) },
		forget: func(ctx context.Context) error {
			return each(slices.Collect(maps.Keys(now)), func(key string) error {
				return t.fast.Delete(ctx, key)
			})
		},
	})
}

// List implements [Lister] by the slow store.
func (t *Tiered) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return List(ctx, t.slow, prefix)
}

// DeleteTag implements [TagDeleter] if the slow store does. A fast store that does not is cleared.
func (t *Tiered) DeleteTag(ctx context.Context, tag string) error {
	return t.change(ctx, t.keys.all(), tieredChange{
		slow:   func() error { return DeleteTag(ctx, t.slow, tag) },
		forget: func(ctx context.Context) error { return t.forgetTag(ctx, tag) },
	})
}

// Clear implements [Clearer].
func (t *Tiered) Clear(ctx context.Context) error {
	return t.change(ctx, t.keys.all(), tieredChange{
		slow:   func() error { return Clear(ctx, t.slow) },
		forget: func(ctx context.Context) error { return Clear(ctx, t.fast) },
	})
}

// DeletePrefix implements [PrefixDeleter].
func (t *Tiered) DeletePrefix(ctx context.Context, prefix string) (n int, err error) {
	err = t.change(ctx, t.keys.all(), tieredChange{
		slow: func() (err error) {
			n, err = DeletePrefix(ctx, t.slow, prefix)
			return err
		},
		forget: func(ctx context.Context) error {
			_, err := DeletePrefix(ctx, t.fast, prefix)
			if errors.Is(err, errors.ErrUnsupported) {
				err = Clear(ctx, t.fast)
			}
			return err
		},
	})
	return n, err
}

// Open implements [Streamer].
func (t *Tiered) Open(ctx context.Context, key string) (Item, Reader, error) {
	t.relay.start()
	if t.trusts() && t.upToDate(key) {
		item, r, err := Open(ctx, t.fast, key)
		if err == nil {
			t.counts.fastHits.Add(1)
			return item, r, nil
		}
		t.missed(err)
	}
	item, r, err := Open(ctx, t.slow, key)
	if err != nil {
		t.counts.slow(1, 0, err)
		return Item{}, nil, err
	}
	t.counts.slow(1, 1, nil)
	return item, r, nil
}

// Create implements [Streamer]. Where the slow store is none, a value may have 64 MiB.
func (t *Tiered) Create(ctx context.Context, key string, item Item) (Writer, error) {
	w, err := Create(ctx, t.slow, key, item, bufferLimit)
	if err != nil {
		return nil, err
	}
	return &tieredWriter{w, ctx, t, key}, nil
}

// tieredWriter forgets what its value replaces.
type tieredWriter struct {
	Writer
	ctx    context.Context // of Create: a Writer's methods have none
	tiered *Tiered
	key    string
}

func (w *tieredWriter) Commit() error {
	t := w.tiered
	return t.change(w.ctx, scope{t.keys.of(w.key)}, tieredChange{
		slow:   w.Writer.Commit,
		forget: func(ctx context.Context) error { return t.fast.Delete(ctx, w.key) },
	})
}

// TryLease implements [Leaser] by the slow store.
func (t *Tiered) TryLease(ctx context.Context, key string) (Lease, error) {
	l, err := TryLease(ctx, t.slow, key)
	if err != nil {
		return nil, err
	}
	return &tieredLease{l, t, key}, nil
}

// tieredLease keeps in both stores what the work has brought.
type tieredLease struct {
	Lease
	tiered *Tiered
	key    string
}

func (l *tieredLease) Set(ctx context.Context, item Item) error {
	t := l.tiered
	item = created(item)
	return t.change(ctx, scope{t.keys.of(l.key)}, tieredChange{
		slow:   func() error { return l.Lease.Set(ctx, item) },
		keep:   func(ctx context.Context) error { return t.fast.Set(ctx, l.key, item) },
		forget: func(ctx context.Context) error { return t.fast.Delete(ctx, l.key) },
	})
}

// AwaitLease implements [Leaser] by the slow store.
func (t *Tiered) AwaitLease(ctx context.Context, key string) error {
	return AwaitLease(ctx, t.slow, key)
}

// Watch implements [Watcher]: events are those of the slow store, each told when the fast one has
// forgotten what it is about, so that whoever then asks gets nothing old. After a link that was
// lost, Cleared comes before Linked.
func (t *Tiered) Watch(hear func(Event)) (stop func()) {
	t.relay.start()
	return t.relay.watch(hear)
}
