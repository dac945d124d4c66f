// msgpack.go is the codec for values of which there are many.

// Package msgpack encodes values as MessagePack, shorter than JSON where there are many numbers,
// times and bytes.
package msgpack

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/larder-go/larder/codec"
)

// Codec encodes by github.com/vmihailenco/msgpack. Check refuses what would not come back, as
// [codec.Rules] say, and what that library cannot do; fields are named by the tag msgpack.
//
// A time.Time comes back in the local zone. With omitempty an empty slice or map comes back nil.
//
// Decode looks over the bytes before the library sees them: lengths that the bytes cannot hold,
// nesting deeper than 10,000, bytes after the value and extension types other than the time are an
// error. It then allocates in proportion to the bytes: at most the size of the largest element of a
// list or map for each of them. A method of the type that panics makes an error.
type Codec struct{}

// Name implements [codec.Codec].
func (Codec) Name() string { return "msgpack" }

// Check implements [codec.Codec].
func (Codec) Check(t reflect.Type) error {
	r := codec.Rules{
		Name: "msgpack", Tag: "msgpack", Key: key, Part: part, Field: field,
		Methods: []codec.Methods{
			methods[msgpack.CustomEncoder, msgpack.CustomDecoder](),
			methods[msgpack.Marshaler, msgpack.Unmarshaler](),
			methods[encoding.BinaryMarshaler, encoding.BinaryUnmarshaler](),
			methods[encoding.TextMarshaler, encoding.TextUnmarshaler](),
		},
	}
	return r.Check(t)
}

func methods[Out, In any]() codec.Methods {
	return codec.Methods{Out: reflect.TypeFor[Out](), In: reflect.TypeFor[In]()}
}

func key(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		return "a key that is a pointer would come back as another"
	}
	return ""
}

// part refuses what the library forgot, and the one type of the standard library whose text says
// less than the value.
func part(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Uintptr:
		return "uintptr cannot be encoded"
	case t.PkgPath() == "math/big" && t.Name() == "Float":
		return "its precision would be lost"
	}
	return ""
}

// field refuses what the library does in a way that cannot be followed: for embedded pointers it
// starts a goroutine that never ends, interned strings are an extension type, and tags of embedded
// structs have meanings of their own.
func field(f reflect.StructField) string {
	tag := f.Tag.Get("msgpack")
	_, options, _ := strings.Cut(tag, ",")
	switch {
	case f.Anonymous && f.Type.Kind() == reflect.Pointer:
		return "an embedded pointer: give the field a name"
	case f.Anonymous && tag != "":
		return "embedded with a tag: give the field a name"
	case strings.HasPrefix(tag, "-"):
		return "left out by its tag, would be lost"
	case strings.Contains(options, "intern"):
		return "interned strings are not supported"
	}
	return ""
}

// encoder is the library's encoder with the bytes that it appends to.
type encoder struct {
	*msgpack.Encoder
	to appender
}

type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

func (a *appender) WriteByte(c byte) error {
	a.b = append(a.b, c)
	return nil
}

// encoders and decoders are used again. One that has met an error or a panic is not.
var (
	encoders = sync.Pool{New: func() any { return &encoder{Encoder: msgpack.NewEncoder(nil)} }}
	decoders = sync.Pool{New: func() any { return &decoder{Decoder: msgpack.NewDecoder(nil)} }}
)

// Append implements [codec.Codec].
func (Codec) Append(b []byte, value any) (out []byte, err error) {
	out = b // if a method panics
	defer noPanic(&err)
	if err := codec.CheckDepth(value); err != nil {
		return b, err
	}
	e := encoders.Get().(*encoder)
	e.to.b = b
	e.Reset(&e.to)
	e.UseCompactInts(true)
	if err := e.Encode(codec.Addressed(value)); err != nil {
		return b, fmt.Errorf("codec: %w", err)
	}
	b, e.to.b = e.to.b, nil
	encoders.Put(e)
	return b, nil
}

// decoder is the library's decoder with the bytes that it reads.
type decoder struct {
	*msgpack.Decoder
	from reader
}

// bufferLimit is for how many bytes at most a decoder is used again: it keeps a buffer for the
// longest string.
const bufferLimit = 64 << 10

// Decode implements [codec.Codec].
func (Codec) Decode(b []byte, into any) (err error) {
	defer noPanic(&err)
	if v := reflect.ValueOf(into); v.Kind() != reflect.Pointer || v.IsNil() {
		return fmt.Errorf("%w: msgpack: cannot decode into %T", codec.ErrRefused, into)
	}
	d := decoders.Get().(*decoder)
	if d.from.times, err = scan(b, d.from.times[:0]); err != nil {
		decoders.Put(d) // it has not met the bytes
		return err
	}
	d.from.b, d.from.at = b, 0
	d.Reset(&d.from)
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("codec: %w", err)
	}
	if d.from.at != len(b) {
		return fmt.Errorf("codec: msgpack: %d bytes after the value", len(b)-d.from.at)
	}
	d.from.b = nil
	if len(b) <= bufferLimit {
		decoders.Put(d)
	}
	return nil
}

func noPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("codec: msgpack: a method panics: %v", p)
	}
}
