// json.go is the codec to begin with: any language reads it, and so do people.

package codec

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"unicode/utf8"
)

// JSON encodes by encoding/json. What a value loses on the way is refused by Check where the type
// shows it (see [Rules]), and by Append where only the value does: text that is not UTF-8, NaN and
// infinities, lists that contain themselves.
//
// These differences remain, as everywhere with encoding/json: a time.Time keeps its instant and
// offset, not the name of its zone; an empty slice or map in a field with omitempty comes back nil.
//
// Decode allocates in proportion to the bytes: at most the size of the largest element of a list or
// map for each three of them. A method of the type that panics makes an error.
type JSON struct{}

// Name implements [Codec].
func (JSON) Name() string { return "json" }

// Check implements [Codec].
func (JSON) Check(t reflect.Type) error {
	r := Rules{
		Name: "json", Tag: "json", Key: jsonKey, Part: jsonPart,
		Methods: []Methods{{jsonOut, jsonIn}, {textOut, textIn}},
	}
	return r.Check(t)
}

var (
	jsonOut = reflect.TypeFor[json.Marshaler]()
	jsonIn  = reflect.TypeFor[json.Unmarshaler]()
	textOut = reflect.TypeFor[encoding.TextMarshaler]()
	textIn  = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// jsonKey says why t cannot be the key of a map. encoding/json writes keys that are strings as they
// are, but reads all that have UnmarshalText by it.
func jsonKey(t reflect.Type) string {
	out, in := t.Implements(textOut), reflect.PointerTo(t).Implements(textIn)
	switch k := t.Kind(); {
	case k == reflect.Pointer || k == reflect.Interface:
		return "a key that is a pointer or an interface"
	case k == reflect.String && in:
		return fmt.Sprintf("keys of type %s are written as they are and read by UnmarshalText", t)
	case k == reflect.String, k >= reflect.Int && k <= reflect.Uintptr && !out && !in, out && in:
		return ""
	}
	return fmt.Sprintf("%s cannot be the key of a JSON object", t)
}

// jsonPart refuses the one type of the standard library whose text says less than the value.
func jsonPart(t reflect.Type) string {
	if t.PkgPath() == "math/big" && t.Name() == "Float" {
		return "its precision would be lost"
	}
	return ""
}

// Append implements [Codec].
func (JSON) Append(b []byte, value any) (out []byte, err error) {
	out = b // if a method panics
	defer noPanic(&err)
	if err := CheckDepth(value); err != nil {
		return b, err
	}
	w := appender{b}
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(Addressed(value)); err != nil {
		return b, fmt.Errorf("codec: json: %w", err)
	}
	w.b = w.b[:len(w.b)-1] // the line's end
	if changed(w.b[len(b):], value) {
		return b, fmt.Errorf("%w: json: text that is not UTF-8 would come back changed", ErrRefused)
	}
	return w.b, nil
}

// changed reports whether text of value was changed on its way to b. encoding/json writes an escape
// for bytes that are no UTF-8, and for nothing else; with GOEXPERIMENT=jsonv2 it writes the
// replacement character as it is, which may have been in the value, too.
func changed(b []byte, value any) bool {
	return escaped(b) || bytes.Contains(b, []byte("\ufffd")) && !isUTF8(reflect.ValueOf(value))
}

// escaped reports whether the replacement character stands in b as an escape.
func escaped(b []byte) bool {
	for {
		i := bytes.Index(b, []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		slashes := 1
		for slashes <= i && b[i-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 1 { // else they stand for backslashes of the text
			return true
		}
		b = b[i+1:]
	}
}

// isUTF8 reports whether all strings in v are text. It does not look into types with methods.
func isUTF8(v reflect.Value) bool {
	if v.IsValid() && hasMethods(v.Type()) {
		return true
	}
	switch v.Kind() {
	case reflect.String:
		return utf8.ValidString(v.String())
	case reflect.Pointer:
		return v.IsNil() || isUTF8(v.Elem())
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && v.Type().Elem().Kind() != reflect.Uint8; i++ {
			if !isUTF8(v.Index(i)) {
				return false
			}
		}
	case reflect.Map:
		for e := v.MapRange(); e.Next(); {
			if !isUTF8(e.Key()) || !isUTF8(e.Value()) {
				return false
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if isVisible(v.Type().Field(i)) && !isUTF8(v.Field(i)) {
				return false
			}
		}
	}
	return true
}

// Decode implements [Codec].
func (JSON) Decode(b []byte, into any) (err error) {
	defer noPanic(&err)
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("codec: json: %w", err)
	}
	return nil
}

// appender is a writer that appends.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// Addressed returns value, or a pointer to a copy of it where a pointer may have methods: codecs
// that go by [Rules] encode that.
func Addressed(value any) any {
	v := reflect.ValueOf(value)
	switch k := v.Kind(); {
	case k == reflect.Invalid, k == reflect.Pointer:
		return value
	case k != reflect.Struct && k != reflect.Array && v.Type().PkgPath() == "":
		return value // such a type has no methods
	}
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return p.Interface()
}

// noPanic makes an error of a panic, which is one of a type's method.
func noPanic(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("codec: a method panics: %v", p)
	}
}
