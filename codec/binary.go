// binary.go is the codec of types that know how to turn themselves into bytes.

package codec

import (
	"encoding"
	"fmt"
	"reflect"
)

// Binary encodes by the type's own MarshalBinary and UnmarshalBinary. A nil pointer cannot be
// encoded. What the methods lose, allocate or keep of the bytes is theirs to answer for; if they
// panic, it is an error.
//
// A type generated from a protobuf message has other methods; a struct around it has these two:
//
//	type User struct{ *pb.User }
//
//	func (u User) MarshalBinary() ([]byte, error) { return proto.Marshal(u.User) }
//
//	func (u *User) UnmarshalBinary(b []byte) error {
//		u.User = new(pb.User)
//		return proto.Unmarshal(b, u.User)
//	}
type Binary struct{}

var (
	binaryOut = reflect.TypeFor[encoding.BinaryMarshaler]()
	binaryIn  = reflect.TypeFor[encoding.BinaryUnmarshaler]()
)

// Name implements [Codec].
func (Binary) Name() string { return "binary" }

// Check implements [Codec].
func (Binary) Check(t reflect.Type) error {
	if t == nil {
		return fmt.Errorf("%w: binary: no type", ErrRefused)
	}
	path := title(t)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	w := walk{Rules: Rules{Name: "binary", Methods: []Methods{{binaryOut, binaryIn}}}}
	own, why := w.speaks(place{t, true})
	if why == "" && !own {
		why = "has no MarshalBinary"
	}
	if why != "" {
		return w.refuse(path, why)
	}
	return nil
}

// Append implements [Codec].
func (Binary) Append(b []byte, value any) (out []byte, err error) {
	out = b // if a method panics
	defer noPanic(&err)
	value = Addressed(value)
	if v := reflect.ValueOf(value); v.Kind() != reflect.Pointer || v.IsNil() {
		return b, fmt.Errorf("%w: binary: nil", ErrRefused)
	}
	m, ok := value.(encoding.BinaryMarshaler)
	if !ok {
		return b, fmt.Errorf("%w: binary: %T has no MarshalBinary", ErrRefused, value)
	}
	more, err := m.MarshalBinary()
	if err != nil {
		return b, fmt.Errorf("codec: binary: %w", err)
	}
	return append(b, more...), nil
}

// Decode implements [Codec].
func (Binary) Decode(b []byte, into any) (err error) {
	defer noPanic(&err)
	v, err := target(into)
	if err != nil {
		return err
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	m, ok := v.Addr().Interface().(encoding.BinaryUnmarshaler)
	if !ok {
		return fmt.Errorf("%w: binary: %s has no UnmarshalBinary", ErrRefused, v.Type())
	}
	if err := m.UnmarshalBinary(b); err != nil {
		return fmt.Errorf("codec: binary: %w", err)
	}
	return nil
}
