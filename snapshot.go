// snapshot.go saves the hottest entries, and brings them back into the next process.

package larder

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

// A snapshot is a line that says what it is and of which cache, and then for each entry, the
// hottest first, its key and an envelope of package store, each with its length before it as a
// varint.
const snapshotHead = "larder snapshot 1 "

// maxSnapshotPart bounds the key or the value of an entry in a snapshot, in bytes.
const maxSnapshotPart = 256 << 20

// ErrSnapshot is wrapped by the error of Restore if what it reads is no snapshot of this cache: of
// another name, other types, another codec, or damaged. What was read before stays.
var ErrSnapshot = errors.New("larder: not a snapshot of this cache")

// snapshots turns entries into bytes and back.
type snapshots[K comparable, V any] struct {
	tier  *tier[K, V] // for its encoding alone
	keys  codec.Codec
	title string
}

func (c *Cache[K, V]) snapshots() (s snapshots[K, V], err error) {
	o := c.engine.options
	values := o.Codec
	if values == nil {
		if values, err = codec.Default(reflect.TypeFor[V]()); err != nil {
			return s, fmt.Errorf("larder: snapshot: %w", err)
		}
	}
	if s.keys, err = codec.Default(reflect.TypeFor[K]()); err != nil {
		return s, fmt.Errorf("larder: snapshot: keys: %w", err)
	}
	s.tier = &tier[K, V]{codec: values, tagHead: o.Name + ":"}
	s.title = fmt.Sprintf("%s%q %s %s %q\n", snapshotHead, o.Name,
		codec.Fingerprint(reflect.TypeFor[K]()), codec.Fingerprint(reflect.TypeFor[V]()), o.Version)
	return s, nil
}

// Save writes at most most entries to w, those that are most worth having in the next process, with
// what is left of their times. It returns how many it has written. Restore reads them.
func (c *Cache[K, V]) Save(w io.Writer, most int) (int, error) {
	s, err := c.snapshots()
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	out.WriteString(s.title)
	n := 0
	for _, e := range c.engine.hottest(most) {
		key, err := s.keys.Append(nil, e.key)
		if err != nil {
			return n, fmt.Errorf("larder: snapshot: key %v: %w", e.key, err)
		}
		item, err := s.tier.item(e.value, e.whole(c.engine.options.Idle > 0), &c.engine.clock)
		if err != nil {
			return n, fmt.Errorf("larder: snapshot: value of %v: %w", e.key, err)
		}
		writePart(out, key)
		writePart(out, store.AppendItem(nil, string(key), item))
		n++
	}
	if err := out.Flush(); err != nil {
		return 0, fmt.Errorf("larder: snapshot: %w", err)
	}
	return n, nil
}

func writePart(w *bufio.Writer, part []byte) {
	w.Write(binary.AppendUvarint(nil, uint64(len(part)))) // Flush returns the error
	w.Write(part)
}

// whole returns the life of an entry, also if there is nothing to it but a deadline. With an idle
// time that is the second of its times.
func (e copied[K, V]) whole(idle bool) *life {
	switch {
	case e.life != nil:
		return e.life
	case idle:
		return &life{fresh: e.times.second, gone: e.times.second}
	}
	return &life{fresh: e.times.look, gone: e.times.look}
}

// SaveFile is Save into a file, which is written aside first, and is whole or as it was before.
func (c *Cache[K, V]) SaveFile(path string, most int) (n int, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return 0, fmt.Errorf("larder: snapshot: %w", err)
	}
	defer os.Remove(f.Name()) // after the rename it is not there
	n, err = c.Save(f, most)
	err = cmp.Or(err, f.Sync())
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return 0, fmt.Errorf("larder: snapshot: %w", err)
	}
	return n, nil
}

// Restore reads what Save has written, and keeps what has not expired and is not there by now. It
// returns how many entries it has kept.
//
// A cache with a Store or a Watch takes only the keys: what others have changed since is not in
// the snapshot. It gets the values from the store, or loads them, as Warm does.
func (c *Cache[K, V]) Restore(ctx context.Context, r io.Reader) (int, error) {
	s, err := c.snapshots()
	if err != nil {
		return 0, err
	}
	in := bufio.NewReader(r)
	title, err := in.ReadString('\n')
	if err != nil || title != s.title {
		return 0, fmt.Errorf("%w: it begins with %.80q, not %q", ErrSnapshot, title, s.title)
	}
	entries, bad := s.read(in)
	n, err := c.takeIn(ctx, entries)
	return n, errors.Join(err, bad)
}

// RestoreFile is Restore from a file. That there is none is no error.
func (c *Cache[K, V]) RestoreFile(ctx context.Context, path string) (int, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("larder: snapshot: %w", err)
	}
	defer f.Close()
	return c.Restore(ctx, f)
}

// saved is an entry of a snapshot.
type saved[K comparable, V any] struct {
	key K
	stored[V]
}

// read reads entries to the end, or to where the snapshot is damaged.
func (s snapshots[K, V]) read(in *bufio.Reader) (entries []saved[K, V], err error) {
	for {
		key, err := readPart(in)
		if err == io.EOF {
			return entries, nil
		}
		var part []byte
		if err == nil {
			part, err = readPart(in)
		}
		var e saved[K, V]
		if err == nil {
			e, err = s.entry(key, part)
		}
		if err != nil {
			return entries, fmt.Errorf("%w: entry %d: %w", ErrSnapshot, len(entries)+1, err)
		}
		entries = append(entries, e)
	}
}

// readPart returns io.EOF if there is nothing left, and another error in the middle.
func readPart(in *bufio.Reader) ([]byte, error) {
	size, err := binary.ReadUvarint(in)
	switch {
	case err == io.EOF:
		return nil, io.EOF
	case err != nil:
		return nil, err
	case size > maxSnapshotPart:
		return nil, fmt.Errorf("a part of %d bytes", size)
	}
	part, err := io.ReadAll(io.LimitReader(in, int64(size))) // grows with what is there
	if err == nil && uint64(len(part)) < size {
		err = io.ErrUnexpectedEOF
	}
	return part, err
}

func (s snapshots[K, V]) entry(key, part []byte) (e saved[K, V], err error) {
	item, err := store.ParseItem(part, string(key))
	if err != nil {
		return e, err
	}
	if e.stored, err = s.tier.decode(item); err != nil {
		return e, err
	}
	return e, s.keys.Decode(key, &e.key)
}

// takeIn keeps entries, the coldest first, so that the hottest are the last to leave.
func (c *Cache[K, V]) takeIn(ctx context.Context, entries []saved[K, V]) (int, error) {
	if c.tier != nil || c.engine.options.Watch != nil {
		keys := func(yield func(K) bool) {
			for _, e := range entries {
				if !yield(e.key) {
					return
				}
			}
		}
		warmed, err := c.Warm(ctx, keys, WarmOptions{})
		return warmed.Loaded, err
	}
	n := 0
	for _, e := range slices.Backward(entries) {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		if c.takeInOne(e) {
			n++
		}
	}
	return n, nil
}

// takeInOne keeps an entry, if it may still be of use and there is none by now.
func (c *Cache[K, V]) takeInOne(e saved[K, V]) bool {
	if c.engine.inspect(e.key).state != gone || e.absent {
		return false
	}
	l := c.lifeOfItem(e.stored)
	if c.engine.rules.at(l, c.engine.clock.now(), 1) == gone {
		return false
	}
	n, err := c.newcomer(&fetch[K, V]{key: e.key}, e.value, l, 0)
	if err != nil {
		return false
	}
	c.admit(n)
	c.engine.tellOf(c.engine.setLoaded(n, nil))
	_, ok := c.engine.peek(e.key)
	return ok
}

// hottest returns at most most entries that are not gone, those first that are most worth having.
func (e *engine[K, V]) hottest(most int) (entries []copied[K, V]) {
	e.enter()
	defer e.leave()
	slots := e.slots.Load()
	visit := func(slot uint32) bool {
		at := slots.at(slot)
		key, value := slots.entry(at)
		t, l := slots.timesOf(at)
		if entry := (copied[K, V]{key, value, t, l}); e.shows(entry) {
			entries = append(entries, entry)
		}
		return len(entries) < most
	}
	if most <= 0 {
		return nil
	}
	if r, ok := e.policy.(policy.Ranker); ok {
		for i := range e.stripes.all {
			e.tell(&e.stripes.all[i])
		}
		r.Ranked(visit)
		return entries
	}
	for i := range e.shards {
		e.shards[i].each(func(slot uint32) {
			if len(entries) < most {
				visit(slot)
			}
		})
	}
	return entries
}
