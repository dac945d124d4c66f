// compressed.go makes large values small on their way to a store.

// Package compressed keeps the values of any store compressed.
package compressed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/larder-go/larder/store"
)

// Options of [New]; the zero value works.
type Options struct {
	// From is the length in bytes from which on a value is compressed; 0 means 1 KiB.
	From int
	// MaxValue bounds what a stored value may unpack to, in bytes; 0 means 256 MiB. More is a miss:
	// what comes from a store that others can write is not trusted.
	MaxValue int64
}

// Store is a view of a store whose values are compressed with Zstandard (RFC 8878) where that
// makes them smaller. Streams are stored as they are: what is large is mostly compressed already.
// It can do what the store can. Closing it closes the store.
type Store struct {
	store.Store
	o Options
}

// The first byte of a stored value says how the rest is to be read.
const (
	storedAsIs = 0
	storedZstd = 1 // followed by the length of the value as a uvarint
)

// New returns a compressing view of s. It panics if o holds a negative number.
func New(s store.Store, o Options) *Store {
	if o.From < 0 || o.MaxValue < 0 {
		panic("compressed: negative option")
	}
	if o.From == 0 {
		o.From = 1 << 10
	}
	if o.MaxValue == 0 {
		o.MaxValue = 256 << 20
	}
	return &Store{s, o}
}

// zstdEncoder and zstdDecoder are safe for concurrent use and are made when first needed.
var zstdEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // only for options that do not exist
	}
	return e
})

var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err)
	}
	return d
})

// pack returns value as it is stored.
func (c *Store) pack(value []byte) []byte {
	if len(value) >= c.o.From && int64(len(value)) <= c.o.MaxValue {
		head := binary.AppendUvarint([]byte{storedZstd}, uint64(len(value)))
		packed := zstdEncoder().EncodeAll(value, head)
		if len(packed) <= len(value) {
			return packed
		}
	}
	return append(append(make([]byte, 0, len(value)+1), storedAsIs), value...)
}

// unpack is the inverse of pack, on bytes that may be anything.
func (c *Store) unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 {
		return nil, errors.New("compressed: empty compressed value")
	}
	if stored[0] == storedAsIs {
		return stored[1:], nil
	}
	size, n := binary.Uvarint(stored[1:])
	if stored[0] != storedZstd || n <= 0 || size > uint64(c.o.MaxValue) {
		return nil, errors.New("compressed: unknown compression")
	}
	packed := stored[1+n:]
	if ratio := uint64(len(packed)) << 16; size > ratio { // no block packs better
		return nil, errors.New("compressed: impossible length")
	}
	value, err := zstdDecoder().DecodeAll(packed, make([]byte, 0, size))
	if err != nil || uint64(len(value)) != size {
		return nil, fmt.Errorf("compressed: damaged compressed value: %w", err)
	}
	return value, nil
}

// Get implements [store.Store]. A value that does not unpack is a miss.
func (c *Store) Get(ctx context.Context, key string) (store.Item, error) {
	item, err := c.Store.Get(ctx, key)
	if err != nil {
		return store.Item{}, err
	}
	if item.Value, err = c.unpack(item.Value); err != nil {
		return store.Item{}, store.ErrNotFound
	}
	return item, nil
}

// Set implements [store.Store].
func (c *Store) Set(ctx context.Context, key string, item store.Item) error {
	item.Value = c.pack(item.Value)
	return c.Store.Set(ctx, key, item)
}

// List implements [store.Lister]. Sizes are those of the stored values.
func (c *Store) List(ctx context.Context, prefix string) iter.Seq2[store.Info, error] {
	return store.List(ctx, c.Store, prefix)
}

// DeleteTag implements [store.TagDeleter].
func (c *Store) DeleteTag(ctx context.Context, tag string) error {
	return store.DeleteTag(ctx, c.Store, tag)
}

// DeletePrefix implements [store.PrefixDeleter].
func (c *Store) DeletePrefix(ctx context.Context, prefix string) (int, error) {
	return store.DeletePrefix(ctx, c.Store, prefix)
}

// Clear implements [store.Clearer].
func (c *Store) Clear(ctx context.Context) error { return store.Clear(ctx, c.Store) }

// GetMany implements [store.ManyGetter]. A value that does not unpack is a miss.
func (c *Store) GetMany(ctx context.Context, keys []string) (map[string]store.Item, error) {
	items, err := store.GetMany(ctx, c.Store, keys)
	for key, item := range items {
		value, bad := c.unpack(item.Value)
		if bad != nil {
			delete(items, key)
			continue
		}
		item.Value = value
		items[key] = item
	}
	return items, err
}

// SetMany implements [store.ManySetter].
func (c *Store) SetMany(ctx context.Context, items map[string]store.Item) error {
	packed := make(map[string]store.Item, len(items))
	for key, item := range items {
		item.Value = c.pack(item.Value)
		packed[key] = item
	}
	return store.SetMany(ctx, c.Store, packed)
}

// TryLease implements [store.Leaser].
func (c *Store) TryLease(ctx context.Context, key string) (store.Lease, error) {
	l, err := store.TryLease(ctx, c.Store, key)
	if err != nil {
		return nil, err
	}
	return lease{l, c}, nil
}

// lease packs what is set by it.
type lease struct {
	store.Lease
	view *Store
}

func (l lease) Set(ctx context.Context, item store.Item) error {
	item.Value = l.view.pack(item.Value)
	return l.Lease.Set(ctx, item)
}

// AwaitLease implements [store.Leaser].
func (c *Store) AwaitLease(ctx context.Context, key string) error {
	return store.AwaitLease(ctx, c.Store, key)
}

// Watch implements [store.Watcher].
func (c *Store) Watch(hear func(store.Event)) (stop func()) { return store.Watch(c.Store, hear) }

// Open implements [store.Streamer]. A value that Set compressed is held in memory.
func (c *Store) Open(ctx context.Context, key string) (store.Item, store.Reader, error) {
	item, r, err := store.Open(ctx, c.Store, key)
	if err != nil {
		return store.Item{}, nil, err
	}
	var first [1]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		r.Close()
		return store.Item{}, nil, store.ErrNotFound
	}
	if first[0] == storedAsIs {
		return item, &restReader{r}, nil
	}
	defer r.Close()
	stored, err := io.ReadAll(io.LimitReader(r, c.o.MaxValue))
	if err != nil {
		return store.Item{}, nil, err
	}
	value, err := c.unpack(append(first[:], stored...))
	if err != nil {
		return store.Item{}, nil, store.ErrNotFound
	}
	return item, store.NewReader(value), nil
}

// restReader reads a value behind its first byte.
type restReader struct{ store.Reader }

func (r *restReader) Size() int64 { return r.Reader.Size() - 1 }

// Create implements [store.Streamer]. Where the store below is none, a value may have MaxValue
// bytes.
func (c *Store) Create(
	ctx context.Context, key string, item store.Item,
) (store.Writer, error) {
	w, err := store.Create(ctx, c.Store, key, item, c.o.MaxValue)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte{storedAsIs}); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}
