// tier.go asks the second level before the origin, and keeps there what the origin has brought.

package larder

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/store"
)

// tier is the second level of a cache: items in a store, under names that begin with head.
type tier[K comparable, V any] struct {
	store   *store.Guard
	leases  store.Leaser
	codec   codec.Codec
	head    string // of the names of keys
	tagHead string // of the tags: they are this cache's
	report  func(error)
	owed    owed // keys
	unsaid  owed // tags
	// before is when all that is in the store became doubtful, in nanoseconds of Unix time.
	before atomic.Int64

	hits, misses, failed, damaged, voided atomic.Uint64
}

// newTier returns the second level that o describes, nil if there is none.
func newTier[K comparable, V any](o Options[K, V], report func(error)) *tier[K, V] {
	if o.Store == nil {
		return nil
	}
	guard, ok := o.Store.(*store.Guard)
	if !ok {
		guard = store.NewGuard(o.Store, store.GuardOptions{})
	}
	t := &tier[K, V]{store: guard, leases: o.Leases, codec: o.Codec, report: report}
	if t.leases == nil {
		t.leases = guard
	}
	// Whoever reads another codec's or another type's values has other names for them.
	kind := codec.Fingerprint(reflect.TypeFor[V]()) + t.codec.Name() + "." + o.Version
	t.head, t.tagHead = fmt.Sprintf("%s:%08x:", o.Name, fnv32(kind)), o.Name+":"
	t.owed.delete = func(ctx context.Context, name string) error { return t.store.Delete(ctx, name) }
	t.unsaid.delete = func(ctx context.Context, tag string) error {
		return store.DeleteTag(ctx, t.store, tag)
	}
	return t
}

// fnv32 is a short hash of a short text (FNV-1a).
func fnv32(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}

// name returns what key is called in the store.
func (t *tier[K, V]) name(names *names[K], key K) (string, error) {
	name, err := names.of(key)
	if err == nil {
		err = store.CheckKey(t.head + name)
	}
	return t.head + name, err
}

// stored is what an item holds.
type stored[V any] struct {
	value  V
	absent bool // the origin has no such thing
	took   time.Duration
	item   store.Item // but for its value
}

// What stands before the bytes of the codec in an item: a version, flags, how long the load took in
// nanoseconds, and the name of the codec with its length before it; both numbers are varints.
const (
	storedVersion = 1
	storedAbsent  = 1 // flag
)

// encode returns the item's bytes.
func (t *tier[K, V]) encode(s stored[V]) ([]byte, error) {
	flags := byte(0)
	if s.absent {
		flags = storedAbsent
	}
	b := append(make([]byte, 0, 128), storedVersion, flags)
	b = binary.AppendUvarint(b, uint64(max(s.took, 0)))
	b = binary.AppendUvarint(b, uint64(len(t.codec.Name())))
	b = append(b, t.codec.Name()...)
	if s.absent {
		return b, nil
	}
	return t.encodeValue(b, s.value)
}

// encodeValue calls the codec, which may call methods of V.
func (t *tier[K, V]) encodeValue(b []byte, value V) (_ []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("codec %s: panic: %v", t.codec.Name(), p)
		}
	}()
	return t.codec.Append(b, value)
}

// decode is the inverse of encode, on bytes that may be anything.
func (t *tier[K, V]) decode(item store.Item) (s stored[V], err error) {
	b := item.Value
	bad := func(why string) (stored[V], error) {
		return stored[V]{}, fmt.Errorf("%w: %w: %s", store.ErrNotFound, store.ErrDamaged, why)
	}
	if len(b) < 2 || b[0] != storedVersion {
		return bad("not written by this version")
	}
	s.absent = b[1]&storedAbsent != 0
	took, n := binary.Uvarint(b[2:])
	if n <= 0 || took > uint64(Forever) {
		return bad("a time is wrong")
	}
	b = b[2+n:]
	s.took = time.Duration(took)
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) || string(b[n:n+int(size)]) != t.codec.Name() {
		return bad("written by another codec")
	}
	b = b[n+int(size):]
	item.Value, item.Tags = nil, t.outward(item.Tags)
	s.item = item
	if s.absent {
		return s, nil
	}
	if err := t.decodeValue(b, &s.value); err != nil {
		return bad(err.Error())
	}
	return s, nil
}

// decodeValue calls the codec, which may call methods of V.
func (t *tier[K, V]) decodeValue(b []byte, into *V) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return t.codec.Decode(b, into)
}

// read returns what the store holds under a name, ErrNotFound if that is nothing of use, or another
// error if it cannot be read.
func (t *tier[K, V]) read(ctx context.Context, name string) (s stored[V], err error) {
	debts := t.debts([]string{name})
	item, err := t.store.Get(ctx, name)
	if err == nil && t.overdue(name, item, debts) {
		err = ErrNotFound
	}
	if err == nil {
		s, err = t.decode(item)
	}
	return s, err
}

// debts is what the store owed when a read began. It may be paid while the read is on its way, and
// what it brings may still be of before.
type debts struct {
	names map[string]bool // that were owed; nil if none
	paid  uint64          // tags that had been deleted
}

func (t *tier[K, V]) debts(names []string) (d debts) {
	d.paid = t.unsaid.paid.Load()
	for _, name := range names {
		if t.owed.has(name) {
			if d.names == nil {
				d.names = map[string]bool{}
			}
			d.names[name] = true
		}
	}
	return d
}

// overdue tells whether an item should have been deleted, by its name, by a tag, or with all
// others, now or when it was asked for.
func (t *tier[K, V]) overdue(name string, item store.Item, d debts) bool {
	created := item.Created.UnixNano()
	old := func(tag string) bool { return t.unsaid.hasSince(tag, created) }
	return d.names[name] || t.owed.has(name) || slices.ContainsFunc(item.Tags, old) ||
		len(item.Tags) > 0 && d.paid != t.unsaid.paid.Load() ||
		created <= max(t.before.Load(), t.owed.since.Load(), t.unsaid.since.Load())
}

// doubt lets nothing be read that was created before.
func (t *tier[K, V]) doubt() { t.before.Store(time.Now().UnixNano()) }

// readMany is read for several names, in one go; ok is false if the store cannot be read. It counts
// hits; what it does not find is a miss the first time it is asked for.
func (t *tier[K, V]) readMany(
	ctx context.Context, names []string,
) (got map[string]stored[V], ok bool) {
	debts := t.debts(names)
	items, err := t.store.GetMany(ctx, names)
	if err != nil {
		t.fail("read", err)
	}
	got = make(map[string]stored[V], len(items))
	for _, name := range names {
		item, ok := items[name]
		if !ok || t.overdue(name, item, debts) {
			continue
		}
		s, err := t.decode(item)
		if err != nil {
			t.damage(err)
			continue
		}
		t.hits.Add(1)
		got[name] = s
	}
	return got, err == nil
}

// count counts what came of a read.
func (t *tier[K, V]) count(err error) {
	switch {
	case err == nil:
		t.hits.Add(1)
	case errors.Is(err, store.ErrNotFound):
		t.misses.Add(1)
		if errors.Is(err, store.ErrDamaged) {
			t.damage(err)
		}
	default:
		t.fail("read", err)
	}
}

// damage counts bytes that are no value of this cache.
func (t *tier[K, V]) damage(err error) {
	t.damaged.Add(1)
	t.report(err)
}

// fail counts an operation that the store could not do, or that was spared it.
func (t *tier[K, V]) fail(what string, err error) {
	t.failed.Add(1)
	if !errors.Is(err, store.ErrLeftAlone) { // the failures before were reported
		t.report(fmt.Errorf("%s: %w", what, err))
	}
}

// item returns what is to be kept in the store of a value and its life.
func (t *tier[K, V]) item(value V, l *life, c *clock) (store.Item, error) {
	b, err := t.encode(stored[V]{value: value, absent: l.absent != nil, took: l.took})
	return store.Item{
		Value: b, Created: time.Unix(0, l.created),
		FreshUntil: c.wall(l.fresh), GoneAfter: c.wall(l.gone),
		Tags: t.inward(l.tags), Validators: l.marks,
	}, err
}

// inward returns tags as they stand in the store, outward as the cache knows them.
func (t *tier[K, V]) inward(tags []string) (inner []string) {
	for _, tag := range tags {
		inner = append(inner, t.tagHead+tag)
	}
	return inner
}

func (t *tier[K, V]) outward(tags []string) (outer []string) {
	for _, tag := range tags {
		outer = append(outer, strings.TrimPrefix(tag, t.tagHead))
	}
	return outer
}

// set keeps an item whatever was there before; bad is why there is none. If that fails the store
// owes its deletion: what was there before is out of date.
func (t *tier[K, V]) set(ctx context.Context, name string, item store.Item, bad error) error {
	owed := t.owed.get(name).number
	err := bad
	if err == nil {
		err = t.store.Set(ctx, name, item)
	}
	if err != nil {
		t.failed.Add(1)
		t.owed.add(name)
		t.owed.pay()
		return fmt.Errorf("larder: %s is in memory alone: %w", name, err)
	}
	t.owed.forgive(name, owed)
	return nil
}

// delete takes an item out. If that fails the store owes it.
func (t *tier[K, V]) delete(ctx context.Context, name string) error {
	owed := t.owed.add(name) // nobody reads it from now on
	if err := t.store.Delete(ctx, name); err != nil {
		t.failed.Add(1)
		t.owed.pay()
		return fmt.Errorf("larder: %s is not yet deleted from the store: %w", name, err)
	}
	t.owed.forgive(name, owed)
	return nil
}

// deleteTag takes out all items of a tag. If that fails the store owes it.
func (t *tier[K, V]) deleteTag(ctx context.Context, tag string) error {
	tag = t.tagHead + tag
	owed := t.unsaid.add(tag)
	if err := store.DeleteTag(ctx, t.store, tag); err != nil {
		t.failed.Add(1)
		t.unsaid.pay()
		return fmt.Errorf("larder: tag %s is not yet deleted from the store: %w", tag, err)
	}
	t.unsaid.forgive(tag, owed)
	return nil
}

// deletePrefix takes out all items whose keys' names begin so. If that fails this process reads
// nothing any more that is older.
func (t *tier[K, V]) deletePrefix(ctx context.Context, prefix string) error {
	if _, err := store.DeletePrefix(ctx, t.store, t.head+prefix); err != nil {
		t.doubt()
		t.failed.Add(1)
		return fmt.Errorf("larder: %s* is not deleted from the store: %w", t.head+prefix, err)
	}
	return nil
}
