// key_type.go says of a type what of its values counts, and which type it is.

package larder

import (
	"encoding"
	"reflect"
	"slices"
	"time"
)

var (
	timeType   = reflect.TypeFor[time.Time]()
	binaryType = reflect.TypeFor[encoding.BinaryMarshaler]()
	textType   = reflect.TypeFor[encoding.TextMarshaler]()
)

// keyShape is what keyWriter has to know of a type.
type keyShape struct {
	voice  byte                  // keyTime, keyBinary or keyText if values are asked, or 0
	fields []reflect.StructField // of a struct: those that count
}

// shape returns the shape of t, worked out once.
func (w *keyWriter) shape(t reflect.Type) *keyShape {
	s := w.shapes[t]
	if s == nil {
		s = &keyShape{voice: voiceOf(t)}
		if s.voice == 0 && t.Kind() == reflect.Struct {
			s.fields = countingFields(t)
		}
		w.shapes[t] = s
	}
	return s
}

// countingFields returns the fields of a struct that are not blank.
func countingFields(t reflect.Type) []reflect.StructField {
	fields := make([]reflect.StructField, 0, t.NumField())
	for i := range t.NumField() {
		if f := t.Field(i); f.Name != "_" {
			fields = append(fields, f)
		}
	}
	return fields
}

// voiceOf says how values of t are asked what they are, or 0 if they are read.
func voiceOf(t reflect.Type) byte {
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Pointer, reflect.Interface:
		return 0
	}
	if isTime(t) {
		return keyTime
	}
	voice := byte(0)
	switch {
	case isBig(t): // whatever other methods it may get one day
		voice = keyText
	case says(t, binaryType):
		voice = keyBinary
	case says(t, textType):
		voice = keyText
	}
	if voice != 0 && !isBig(t) && isPlain(t, map[reflect.Type]bool{}) {
		return 0
	}
	return voice
}

// isTime reports whether t is time.Time or made of it.
func isTime(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.ConvertibleTo(timeType)
}

// isBig reports whether t is a number of math/big that can be kept in several ways. The package is
// not imported for it.
func isBig(t reflect.Type) bool {
	return t.PkgPath() == "math/big" && (t.Name() == "Int" || t.Name() == "Rat")
}

// isPlain reports whether all of t can be read without a method of its package. Interfaces can:
// what is in them is looked at when it is there. The types in seen need not be looked at again.
func isPlain(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || isTime(t) || isBig(t) {
		return true
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return false
	case reflect.Pointer:
		return isTime(t.Elem()) || isBig(t.Elem())
	case reflect.Array, reflect.Slice:
		return isPlain(t.Elem(), seen)
	case reflect.Map:
		return isPlain(t.Key(), seen) && isPlain(t.Elem(), seen)
	case reflect.Struct:
		for _, f := range countingFields(t) {
			if !isPlain(f.Type, seen) {
				return false
			}
		}
	}
	return true
}

// says reports whether t, or a pointer to it, has the method of marshaler and did not inherit it.
func says(t, marshaler reflect.Type) bool {
	if !reflect.PointerTo(t).Implements(marshaler) {
		return false
	}
	if t.Kind() != reflect.Struct {
		return true
	}
	for i := range t.NumField() {
		f := t.Field(i)
		has := f.Type.Implements(marshaler) || reflect.PointerTo(f.Type).Implements(marshaler)
		if f.Anonymous && has {
			return false
		}
	}
	return true
}

// typ writes a type down. It describes it only once, which keeps encodings short and ends with
// types that contain themselves.
func (w *keyWriter) typ(t reflect.Type) {
	if t == timeType {
		w.byte(keyTime)
		return
	}
	if isBasic(t.Kind()) && t.PkgPath() == "" {
		w.byte(keyKinds[t.Kind()])
		return
	}
	if i := slices.Index(w.types, t); i >= 0 {
		w.byte(keyAgain)
		w.length(i)
		return
	}
	w.types = append(w.types, t)
	w.byte(keyType)
	w.describe(t)
}

// describe writes what t is called and what it is made of. What a type that is asked is made of is
// the business of its package, and may change with the next version.
func (w *keyWriter) describe(t reflect.Type) {
	voice := w.shape(t).voice
	if voice == 0 {
		voice = keyKinds[t.Kind()]
	}
	w.byte(voice)
	w.text(t.PkgPath())
	w.text(t.Name())
	switch voice {
	case 'A':
		w.length(t.Len())
		w.typ(t.Elem())
	case 'S':
		w.typ(t.Elem())
	case 'M':
		w.typ(t.Key())
		w.typ(t.Elem())
	case 'T':
		w.describeFields(t)
	case 'P':
		w.describePointer(t)
	case 'I', 'F', 'C':
		w.text(t.String())
	}
}

func (w *keyWriter) describeFields(t reflect.Type) {
	fields := w.shape(t).fields
	w.length(len(fields))
	for _, f := range fields {
		w.text(f.Name)
		w.byte(oneIf(f.Anonymous))
		if t.Name() == "" { // else the name stands for these
			w.text(f.PkgPath)
			w.text(string(f.Tag))
		}
		w.typ(f.Type)
	}
}

// describePointer names what will be refused anyway, and describes the rest.
func (w *keyWriter) describePointer(t reflect.Type) {
	if w.shape(t.Elem()).voice == 0 {
		w.text(t.String())
		return
	}
	w.text("")
	w.typ(t.Elem())
}
