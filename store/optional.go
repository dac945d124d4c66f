// optional.go holds what some stores can do, and how to manage with those that cannot.

package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"
)

// Info describes a stored item without its value.
type Info struct {
	Key        string    `json:"key"`
	Size       int64     `json:"size"` // bytes of the value as it is stored
	Created    time.Time `json:"created"`
	FreshUntil time.Time `json:"fresh_until,omitzero"`
	GoneAfter  time.Time `json:"gone_after,omitzero"`
	Tags       []string  `json:"tags,omitempty"`
}

// NewInfo describes item, whose value has size bytes.
func NewInfo(key string, item Item, size int64) Info {
	return Info{
		Key: key, Size: size, Created: item.Created,
		FreshUntil: item.FreshUntil, GoneAfter: item.GoneAfter, Tags: slices.Clone(item.Tags),
	}
}

// Lister is a store that can name what it holds.
type Lister interface {
	// List yields what is kept under keys that start with prefix, in no order. An item set or
	// deleted meanwhile may be seen or not. An error ends the sequence.
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
}

// TagDeleter is a store that can delete all items of a tag.
type TagDeleter interface {
	// DeleteTag removes every item that was set with tag before the call.
	DeleteTag(ctx context.Context, tag string) error
}

// Clearer is a store that can delete all it holds.
type Clearer interface {
	Clear(ctx context.Context) error
}

// PrefixDeleter is a store that can delete all items under a prefix, and void the leases there.
type PrefixDeleter interface {
	// DeletePrefix removes every item whose key starts with prefix and returns how many it were;
	// what had expired may count.
	DeletePrefix(ctx context.Context, prefix string) (int, error)
}

// Streamer is a store whose values can be read and written piece by piece.
type Streamer interface {
	// Open returns the item of key without its value, and the value's length and bytes to read.
	// The reader must be closed. It can be read to its end although the item is replaced or deleted
	// meanwhile. A value found damaged in the middle ends in an error, not io.EOF.
	Open(ctx context.Context, key string) (Item, Reader, error)
	// Create begins an item whose value is written to the returned writer. Nothing is visible
	// before Commit. item.Value is ignored.
	Create(ctx context.Context, key string, item Item) (Writer, error)
}

// Reader reads one value. It is not safe for concurrent use.
type Reader interface {
	io.ReadCloser
	Size() int64 // bytes of the whole value
}

// Writer writes one value. It is not safe for concurrent use. After an error every further call
// fails; Close without Commit drops what was written.
type Writer interface {
	io.Writer
	Commit() error // makes the item visible and closes the writer
	Close() error  // after Commit it does nothing
}

// List yields what s holds under keys that start with prefix. Where s is no [Lister] the sequence
// is one error that wraps errors.ErrUnsupported.
func List(ctx context.Context, s Store, prefix string) iter.Seq2[Info, error] {
	if l, ok := s.(Lister); ok {
		return l.List(ctx, prefix)
	}
	return func(yield func(Info, error) bool) { yield(Info{}, unsupported(s, "list its keys")) }
}

// DeleteTag removes every item of s that has tag. Where s is no [TagDeleter] the error wraps
// errors.ErrUnsupported.
func DeleteTag(ctx context.Context, s Store, tag string) error {
	if d, ok := s.(TagDeleter); ok {
		return d.DeleteTag(ctx, tag)
	}
	return unsupported(s, "delete by tag")
}

// DeletePrefix removes every item of s whose key starts with prefix and returns how many it were.
// It needs a [PrefixDeleter] or a [Lister]; with the latter, leases of absent keys stay valid.
func DeletePrefix(ctx context.Context, s Store, prefix string) (int, error) {
	if d, ok := s.(PrefixDeleter); ok {
		return d.DeletePrefix(ctx, prefix)
	}
	n := 0
	for info, err := range List(ctx, s, prefix) {
		if err != nil {
			return n, err
		}
		if err := s.Delete(ctx, info.Key); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Clear removes all that s holds, by its [Clearer] or else key by key.
func Clear(ctx context.Context, s Store) error {
	if c, ok := s.(Clearer); ok {
		return c.Clear(ctx)
	}
	_, err := DeletePrefix(ctx, s, "")
	return err
}

// bufferLimit is how much of a value a combinator holds in memory for a store without streams.
const bufferLimit = 64 << 20

// Open returns the item of key without its value, and a reader of the value. Where s is no
// [Streamer] the value is held in memory.
func Open(ctx context.Context, s Store, key string) (Item, Reader, error) {
	if st, ok := s.(Streamer); ok {
		return st.Open(ctx, key)
	}
	item, err := s.Get(ctx, key)
	if err != nil {
		return Item{}, nil, err
	}
	r := NewReader(item.Value)
	item.Value = nil
	return item, r, nil
}

// Create begins an item whose value is written piece by piece. Where s is no [Streamer] the value
// is held in memory until Commit; more than limit bytes then fail with [ErrTooLarge].
func Create(ctx context.Context, s Store, key string, item Item, limit int64) (Writer, error) {
	if st, ok := s.(Streamer); ok {
		return st.Create(ctx, key, item)
	}
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	return &bufferWriter{limit: limit, commit: func(value []byte) error {
		item.Value = value
		return s.Set(ctx, key, item)
	}}, nil
}

// NewReader returns a [Reader] of value.
func NewReader(value []byte) Reader { return &bytesReader{bytes.NewReader(value)} }

type bytesReader struct{ *bytes.Reader }

func (*bytesReader) Close() error { return nil }

// bufferWriter collects a value in memory and hands it over as a whole.
type bufferWriter struct {
	buf    bytes.Buffer
	limit  int64
	commit func([]byte) error
	closed bool
}

func (w *bufferWriter) Write(p []byte) (int, error) {
	if w.closed {
		return 0, ErrClosed
	}
	if int64(w.buf.Len()+len(p)) > w.limit {
		w.closed = true
		return 0, fmt.Errorf("%w: over %d bytes", ErrTooLarge, w.limit)
	}
	return w.buf.Write(p)
}

func (w *bufferWriter) Commit() error {
	if w.closed {
		return ErrClosed
	}
	w.closed = true
	return w.commit(w.buf.Bytes())
}

func (w *bufferWriter) Close() error {
	w.closed = true
	return nil
}

func unsupported(s Store, what string) error {
	return fmt.Errorf("store: %T cannot %s: %w", s, what, errors.ErrUnsupported)
}
