// codec.go says what a codec is.

// Package codec turns values into bytes and back.
//
// Bytes that come back from a store are not trusted: decoding may fail, and never runs code that
// they name nor allocates more than they can hold.
package codec

import (
	"errors"
	"reflect"
)

// ErrRefused is wrapped where a codec cannot turn a type into bytes and back without loss.
var ErrRefused = errors.New("codec: refused")

// Codec turns values into bytes and back. All methods are safe for concurrent use.
type Codec interface {
	// Name says in a short word which codec it is. It is kept with every value: what another codec
	// has written is a miss.
	Name() string
	// Check returns an error that wraps ErrRefused and names the part, if values of type t cannot
	// be encoded, or would not come back as they were.
	Check(t reflect.Type) error
	// Append appends the bytes of value.
	Append(b []byte, value any) ([]byte, error)
	// Decode fills in the value that into points to, which is zero. It keeps no reference to b.
	Decode(b []byte, into any) error
}
