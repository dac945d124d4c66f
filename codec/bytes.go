// bytes.go is the codec of values that are bytes already.

package codec

import (
	"fmt"
	"reflect"
)

// Bytes keeps values whose kind is []byte or string as they are. A nil slice comes back empty.
type Bytes struct{}

// Name implements [Codec].
func (Bytes) Name() string { return "bytes" }

// Check implements [Codec].
func (Bytes) Check(t reflect.Type) error {
	if t == nil || t.Kind() != reflect.String && !isBytes(t) {
		return fmt.Errorf("%w: bytes: %v is neither []byte nor string", ErrRefused, t)
	}
	return nil
}

func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// Append implements [Codec].
func (c Bytes) Append(b []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case []byte:
		return append(b, v...), nil
	case string:
		return append(b, v...), nil
	}
	if err := c.Check(reflect.TypeOf(value)); err != nil {
		return b, err
	}
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.String {
		return append(b, v.String()...), nil
	}
	return append(b, v.Bytes()...), nil
}

// Decode implements [Codec].
func (c Bytes) Decode(b []byte, into any) error {
	switch p := into.(type) {
	case *[]byte:
		*p = append([]byte{}, b...)
		return nil
	case *string:
		*p = string(b)
		return nil
	}
	v, err := target(into)
	if err != nil {
		return err
	}
	if err := c.Check(v.Type()); err != nil {
		return err
	}
	if v.Kind() == reflect.String {
		v.SetString(string(b))
	} else {
		v.SetBytes(append([]byte{}, b...))
	}
	return nil
}

// target returns what into points to.
func target(into any) (reflect.Value, error) {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return v, fmt.Errorf("%w: cannot decode into %T", ErrRefused, into)
	}
	return v.Elem(), nil
}
