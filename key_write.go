// key_write.go writes the values of a key, so that no two of them look the same.

package larder

import (
	"bytes"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"fmt"
	hashes "hash"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// keyWriter writes items down and hashes them. The values it is given come from no unexported
// field in the sense of package reflect: fields sees to that. So their methods may be called.
type keyWriter struct {
	buf    []byte // what is not hashed yet
	hash   hashes.Hash
	maps   int            // how many maps we are in: their entries are still to be sorted
	depth  int            // how many values we are in
	types  []reflect.Type // those described so far; keyAgain counts on their order
	shapes map[reflect.Type]*keyShape
}

// sum returns the hash of all that was written.
func (w *keyWriter) sum() (k Key) {
	if w.hash == nil {
		return sha256.Sum256(w.buf)
	}
	w.hash.Write(w.buf)
	w.hash.Sum(k[:0])
	return k
}

// flush hashes what was written, if it is much and nothing of it can move any more.
func (w *keyWriter) flush() {
	if len(w.buf) < keyChunk || w.maps > 0 {
		return
	}
	if w.hash == nil {
		w.hash = sha256.New()
	}
	w.hash.Write(w.buf)
	w.buf = w.buf[:0]
}

func (w *keyWriter) byte(b byte)     { w.buf = append(w.buf, b) }
func (w *keyWriter) length(n int)    { w.buf = binary.AppendUvarint(w.buf, uint64(n)) }
func (w *keyWriter) number(n uint64) { w.buf = binary.BigEndian.AppendUint64(w.buf, n) }

func (w *keyWriter) text(s string)  { writeKeyBytes(w, s) }
func (w *keyWriter) bytes(b []byte) { writeKeyBytes(w, b) }

func writeKeyBytes[T string | []byte](w *keyWriter, s T) {
	w.length(len(s))
	for ; len(s) > keyChunk; s = s[keyChunk:] {
		w.buf = append(w.buf, s[:keyChunk]...)
		w.flush()
	}
	w.buf = append(w.buf, s...)
}

// item writes the type of v and its value.
func (w *keyWriter) item(v reflect.Value) error {
	if !v.IsValid() {
		w.byte(keyNil)
		return nil
	}
	w.typ(v.Type())
	return w.value(v)
}

// value writes a value whose type is known from what was written before.
func (w *keyWriter) value(v reflect.Value) error {
	if w.basic(v) {
		return nil
	}
	if w.depth++; w.depth > maxKeyDepth {
		return refuse("data nested deeper than %d: does it contain itself?", maxKeyDepth)
	}
	err := w.composite(v)
	w.depth--
	w.flush()
	return err
}

func isBasic(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Complex128 || k == reflect.String
}

// basic writes v if it has no parts.
func (w *keyWriter) basic(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool:
		w.byte(oneIf(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number(uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Uintptr:
		w.number(v.Uint())
	case reflect.Float32, reflect.Float64:
		w.number(floatBits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		w.number(floatBits(real(v.Complex())))
		w.number(floatBits(imag(v.Complex())))
	case reflect.String:
		w.text(v.String())
	default:
		return false
	}
	return true
}

func (w *keyWriter) composite(v reflect.Value) error {
	if voice := w.shape(v.Type()).voice; voice != 0 {
		return w.ask(v, voice)
	}
	switch v.Kind() {
	case reflect.Struct:
		return w.fields(v)
	case reflect.Array:
		return w.elements(addressable(v))
	case reflect.Slice:
		if w.present(v) {
			w.length(v.Len())
			return w.elements(v)
		}
	case reflect.Map:
		if w.present(v) {
			return w.entries(v)
		}
	case reflect.Interface:
		return w.item(v.Elem())
	case reflect.Pointer:
		return w.pointed(v)
	case reflect.UnsafePointer:
		return refuse("an unsafe.Pointer cannot be part of a key")
	default:
		return refuse("a %s cannot be part of a key", v.Kind())
	}
	return nil
}

// present writes whether v is something rather than nil.
func (w *keyWriter) present(v reflect.Value) bool {
	w.byte(oneIf(!v.IsNil()))
	return !v.IsNil()
}

func (w *keyWriter) fields(v reflect.Value) error {
	v = addressable(v)
	for _, f := range w.shape(v.Type()).fields {
		x := v.Field(f.Index[0])
		if !f.IsExported() { // or else its methods could not be called
			x = reflect.NewAt(f.Type, x.Addr().UnsafePointer()).Elem()
		}
		if err := w.value(x); err != nil {
			return inside(err, "."+f.Name)
		}
	}
	return nil
}

// elements writes those of a slice, or of an array that is addressable.
func (w *keyWriter) elements(v reflect.Value) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		w.bytes(v.Bytes())
		return nil
	}
	for i := range v.Len() {
		if err := w.value(v.Index(i)); err != nil {
			return inside(err, "["+strconv.Itoa(i)+"]")
		}
		w.flush()
	}
	return nil
}

// entries writes a map. Each entry is written as if it were the first, since nobody knows which is,
// and then they are sorted by what was written.
func (w *keyWriter) entries(v reflect.Value) error {
	start, described := len(w.buf), len(w.types)
	ends := make([]int, 0, v.Len())
	w.maps++
	for i := v.MapRange(); i.Next(); {
		w.types = w.types[:described]
		if err := w.entry(i.Key(), i.Value()); err != nil {
			return err
		}
		ends = append(ends, len(w.buf)-start)
	}
	w.maps--
	w.types = w.types[:described]

	written, begin := slices.Clone(w.buf[start:]), 0
	entries := make([][]byte, len(ends))
	for i, end := range ends {
		entries[i] = written[begin:end]
		begin = end
	}
	slices.SortFunc(entries, bytes.Compare)
	w.buf = w.buf[:start]
	w.length(len(entries))
	for _, entry := range entries {
		w.buf = append(w.buf, entry...)
	}
	return nil
}

func (w *keyWriter) entry(key, value reflect.Value) error {
	if !key.Equal(key) { // could not be looked up, and may be there more than once
		return inside(refuse("a NaN in the key of a map cannot be part of a key"), "[key]")
	}
	if err := w.value(key); err != nil {
		return inside(err, "[key]")
	}
	if err := w.value(value); err != nil {
		return inside(err, "["+spell(key)+"]")
	}
	return nil
}

// spell returns the key of a map as an error shows it.
func spell(key reflect.Value) string {
	if key.Kind() == reflect.Interface && !key.IsNil() {
		key = key.Elem()
	}
	switch k := key.Kind(); {
	case k == reflect.String:
		return strconv.Quote(key.String())
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10)
	case key.CanUint():
		return strconv.FormatUint(key.Uint(), 10)
	}
	return key.Type().String()
}

// pointed writes what v points to, if that is a type that is asked.
func (w *keyWriter) pointed(v reflect.Value) error {
	if w.shape(v.Type().Elem()).voice == 0 {
		return refuse("a pointer (%s) cannot be part of a key: pass what it points to", v.Type())
	}
	if w.present(v) {
		return w.value(v.Elem())
	}
	return nil
}

// ask writes what v says of itself.
func (w *keyWriter) ask(v reflect.Value, voice byte) error {
	if voice == keyTime {
		w.buf = appendInstant(w.buf, v.Convert(timeType).Interface().(time.Time))
		return nil
	}
	b, err := marshal(addressable(v).Addr().Interface(), voice)
	w.bytes(b)
	return err
}

// marshal calls a method of somebody else, which may panic.
func marshal(p any, voice byte) (b []byte, err error) {
	name := "MarshalText"
	if voice == keyBinary {
		name = "MarshalBinary"
	}
	defer func() {
		if r := recover(); r != nil {
			err = refuse("%s of %T panicked: %v", name, p, r)
		}
	}()
	if voice == keyBinary {
		b, err = p.(encoding.BinaryMarshaler).MarshalBinary()
	} else {
		b, err = p.(encoding.TextMarshaler).MarshalText()
	}
	if err != nil {
		err = refuse("%s of %T: %w", name, p, err)
	}
	return b, err
}

// addressable returns v or a copy of it that has an address.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// refusal says what cannot be part of a key and where it is.
type refusal struct {
	path  string // from the argument on, such as .Opts.Callbacks[3]
	cause error
}

func refuse(format string, args ...any) error {
	return &refusal{cause: fmt.Errorf(format, args...)}
}

// inside returns err, a refusal, for whoever contains what was refused.
func inside(err error, part string) error {
	r := err.(*refusal)
	r.path = part + r.path
	return r
}

func (r *refusal) Error() string {
	const most = 100 // bytes: a path may be a thousand parts long
	path := r.path
	if len(path) > most {
		path = strings.ToValidUTF8(path[:most], "") + "..."
	}
	switch {
	case path == "":
		return ": " + r.cause.Error()
	case path[0] == '.':
		return ", field " + path[1:] + ": " + r.cause.Error()
	}
	return ", element " + path + ": " + r.cause.Error()
}

// Unwrap returns what the method to marshal returned, if it was that.
func (r *refusal) Unwrap() error { return r.cause }
