// compressed.go makes large values small on their way to a store.

package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// CompressedOptions configure [NewCompressed]; the zero value works.
type CompressedOptions struct {
	// From is the length in bytes from which on a value is compressed; 0 means 1 KiB.
	From int
	// MaxValue bounds what a stored value may unpack to, in bytes; 0 means 256 MiB. More is a miss:
	// what comes from a store that others can write is not trusted.
	MaxValue int64
}

// Compressed is a view of a store whose values are compressed with Zstandard (RFC 8878) where that
// makes them smaller. Streams are stored as they are: what is large is mostly compressed already.
// It can do what the store can. Closing it closes the store.
type Compressed struct {
	Store
	o CompressedOptions
}

// The first byte of a stored value says how the rest is to be read.
const (
	storedAsIs = 0
	storedZstd = 1 // followed by the length of the value as a uvarint
)

// NewCompressed returns a compressing view of s. It panics if o holds a negative number.
func NewCompressed(s Store, o CompressedOptions) *Compressed {
	if o.From < 0 || o.MaxValue < 0 {
		panic("store: negative CompressedOptions")
	}
	if o.From == 0 {
		o.From = 1 << 10
	}
	if o.MaxValue == 0 {
		o.MaxValue = 256 << 20
	}
	return &Compressed{s, o}
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
func (c *Compressed) pack(value []byte) []byte {
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
func (c *Compressed) unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 {
		return nil, errors.New("store: empty compressed value")
	}
	if stored[0] == storedAsIs {
		return stored[1:], nil
	}
	size, n := binary.Uvarint(stored[1:])
	if stored[0] != storedZstd || n <= 0 || size > uint64(c.o.MaxValue) {
		return nil, errors.New("store: unknown compression")
	}
	packed := stored[1+n:]
	if ratio := uint64(len(packed)) << 16; size > ratio { // no block packs better
		return nil, errors.New("store: impossible length")
	}
	value, err := zstdDecoder().DecodeAll(packed, make([]byte, 0, size))
	if err != nil || uint64(len(value)) != size {
		return nil, fmt.Errorf("store: damaged compressed value: %w", err)
	}
	return value, nil
}

// Get implements [Store]. A value that does not unpack is a miss.
func (c *Compressed) Get(ctx context.Context, key string) (Item, error) {
	item, err := c.Store.Get(ctx, key)
	if err != nil {
		return Item{}, err
	}
	if item.Value, err = c.unpack(item.Value); err != nil {
		return Item{}, ErrNotFound
	}
	return item, nil
}

// Set implements [Store].
func (c *Compressed) Set(ctx context.Context, key string, item Item) error {
	item.Value = c.pack(item.Value)
	return c.Store.Set(ctx, key, item)
}

// List implements [Lister]. Sizes are those of the stored values.
func (c *Compressed) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return List(ctx, c.Store, prefix)
}

// DeleteTag implements [TagDeleter].
func (c *Compressed) DeleteTag(ctx context.Context, tag string) error {
	return DeleteTag(ctx, c.Store, tag)
}

// Clear implements [Clearer].
func (c *Compressed) Clear(ctx context.Context) error { return Clear(ctx, c.Store) }

// Lease implements [Leaser].
func (c *Compressed) Lease(ctx context.Context, key string) (release func(), err error) {
	return Lease(ctx, c.Store, key)
}

// TryLease implements [Leaser].
func (c *Compressed) TryLease(ctx context.Context, key string) (release func(), err error) {
	return TryLease(ctx, c.Store, key)
}

// Open implements [Streamer]. A value that Set compressed is held in memory.
func (c *Compressed) Open(ctx context.Context, key string) (Item, Reader, error) {
	item, r, err := Open(ctx, c.Store, key)
	if err != nil {
		return Item{}, nil, err
	}
	var first [1]byte
	if _, err := io.ReadFull(r, first[:]); err != nil {
		r.Close()
		return Item{}, nil, ErrNotFound
	}
	if first[0] == storedAsIs {
		return item, &restReader{r}, nil
	}
	defer r.Close()
	stored, err := io.ReadAll(io.LimitReader(r, c.o.MaxValue))
	if err != nil {
		return Item{}, nil, err
	}
	value, err := c.unpack(append(first[:], stored...))
	if err != nil {
		return Item{}, nil, ErrNotFound
	}
	return item, NewReader(value), nil
}

// restReader reads a value behind its first byte.
type restReader struct{ Reader }

func (r *restReader) Size() int64 { return r.Reader.Size() - 1 }

// Create implements [Streamer]. Where the store below is none, a value may have 64 MiB.
func (c *Compressed) Create(ctx context.Context, key string, item Item) (Writer, error) {
	w, err := Create(ctx, c.Store, key, item, bufferLimit)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte{storedAsIs}); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}
