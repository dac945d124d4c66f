// rules.go walks a type and finds the part that would not come back.

package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// Rules say what a codec does with the parts of a type. A codec of your own can answer Check by
// them. They refuse
//
//   - channels, functions, complex numbers, unsafe pointers,
//   - interfaces, for bytes do not tell what was in them,
//   - fields that are unexported or tagged "-", for they would be lost,
//   - two fields of one name,
//   - pointers to pointers, slices or maps, for a pointer to nil would come back as nil,
//   - types with a method that turns them into bytes, but without the one that brings them back,
//   - structs that inherited such a method from an embedded field and have other fields besides.
type Rules struct {
	Name    string    // of the codec, for errors
	Tag     string    // the key of the struct tag that names fields
	Methods []Methods // what the codec calls where a type has it; the first counts

	// Key, Part and Field say why a type cannot be the key of a map, and why a type or a field is
	// refused for more than what is said above. They return "" for what can be, and may be nil.
	Key   func(reflect.Type) string
	Part  func(reflect.Type) string
	Field func(reflect.StructField) string
}

// Methods are two interfaces of one method each: what turns a type into bytes, and what brings it
// back.
type Methods struct{ Out, In reflect.Type }

// walk is one walk over a type.
type walk struct {
	Rules
	seen map[place]bool
}

// place is a type where its values have an address, or where they have none: in a map.
type place struct {
	t           reflect.Type
	addressable bool
}

// Check returns an error that wraps [ErrRefused] and names the part, if values of type t would not
// come back as they were. The codec must encode values of t at an address.
func (r Rules) Check(t reflect.Type) error {
	if t == nil {
		return fmt.Errorf("%w: %s: no type", ErrRefused, r.Name)
	}
	w := walk{r, map[place]bool{}}
	return w.part(place{t, true}, title(t))
}

// title is how errors call the type they begin with.
func title(t reflect.Type) string {
	if t.Name() != "" {
		return t.Name()
	}
	return t.String()
}

func (w *walk) refuse(path, why string) error {
	return fmt.Errorf("%w: %s: %s: %s", ErrRefused, w.Name, path, why)
}

// part looks at a type and at all it is made of.
func (w *walk) part(p place, path string) error {
	if w.seen[p] {
		return nil
	}
	w.seen[p] = true
	if w.Part != nil {
		if why := w.Part(p.t); why != "" {
			return w.refuse(path, why)
		}
	}
	own, why := w.speaks(p)
	if why != "" {
		return w.refuse(path, why)
	}
	if own {
		return nil
	}
	return w.inside(p, path)
}

// inside looks at what a type without methods is made of.
func (w *walk) inside(p place, path string) error {
	switch t := p.t; t.Kind() {
	case reflect.Interface:
		return w.refuse(path, "an interface: the bytes do not tell what was in it")
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return w.refuse(path, fmt.Sprintf("%s cannot be encoded", t.Kind()))
	case reflect.Pointer:
		if own, _ := w.speaks(place{t.Elem(), true}); !own && nilable(t.Elem().Kind()) {
			return w.refuse(path, "a pointer to nil would come back as nil")
		}
		return w.part(place{t.Elem(), true}, path)
	case reflect.Slice:
		return w.part(place{t.Elem(), true}, path+"[]")
	case reflect.Array:
		return w.part(place{t.Elem(), p.addressable}, path+"[]")
	case reflect.Map:
		if w.Key != nil && w.Key(t.Key()) != "" {
			return w.refuse(path, w.Key(t.Key()))
		}
		if err := w.part(place{t.Key(), false}, path+"[key]"); err != nil {
			return err
		}
		return w.part(place{t.Elem(), false}, path+"[]")
	case reflect.Struct:
		return w.fields(p, path, map[string]bool{}, nil)
	}
	return nil
}

func nilable(k reflect.Kind) bool {
	return k == reflect.Pointer || k == reflect.Slice || k == reflect.Map
}

// fields looks at the fields of a struct. Those of embedded structs count as its own: names are the
// names of all, within are the structs that the struct is embedded in.
func (w *walk) fields(p place, path string, names map[string]bool, within []reflect.Type) error {
	for i := range p.t.NumField() {
		f := p.t.Field(i)
		if f.Name == "_" || f.Type.Size() == 0 && !f.IsExported() {
			continue // there is nothing to lose
		}
		path := path + "." + f.Name
		name, named := fieldName(f, w.Tag)
		switch {
		case name == "":
			return w.refuse(path, fmt.Sprintf(`tagged %s:"-", would be lost`, w.Tag))
		case w.Field != nil && w.Field(f) != "":
			return w.refuse(path, w.Field(f))
		}
		if inner := embedded(f); inner != nil && !named {
			if err := w.embedded(f, p, path, names, within); err != nil {
				return err
			}
			continue
		}
		switch {
		case !f.IsExported():
			return w.refuse(path, "unexported, would be lost")
		case names[name]:
			return w.refuse(path, fmt.Sprintf("a second field of the name %q", name))
		}
		names[name] = true
		if err := w.part(place{f.Type, p.addressable}, path); err != nil {
			return err
		}
	}
	return nil
}

// embedded looks at the fields of an embedded struct, or pointer to one.
func (w *walk) embedded(
	f reflect.StructField, p place, path string, names map[string]bool, within []reflect.Type,
) error {
	inner := place{embedded(f), p.addressable}
	if f.Type.Kind() == reflect.Pointer {
		if !f.IsExported() {
			return w.refuse(path, "a pointer to an unexported struct cannot be set")
		}
		inner.addressable = true
	}
	for _, outer := range append(within, p.t) {
		if outer == inner.t {
			return w.refuse(path, "embedded in itself")
		}
	}
	return w.fields(inner, path, names, append(within, p.t))
}

// embedded returns the struct that f embeds, or nil.
func embedded(f reflect.StructField) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f.Anonymous && t.Kind() == reflect.Struct {
		return t
	}
	return nil
}

// fieldName returns the name of a field among the bytes, and whether its tag says it. The name is
// empty if the field is left out.
func fieldName(f reflect.StructField, tag string) (name string, named bool) {
	text := f.Tag.Get(tag)
	if text == "-" {
		return "", true
	}
	name, _, _ = strings.Cut(text, ",")
	if name == "" {
		return f.Name, false
	}
	return name, true
}

// speaks reports whether values of a type are turned into bytes by a method of theirs, or why that
// would go wrong. Codecs differ in whom they ask first, so all ways have to lead to one method.
func (w *walk) speaks(p place) (own bool, why string) {
	if p.t.Kind() == reflect.Interface || p.t.Kind() == reflect.Pointer {
		return false, ""
	}
	pointer := reflect.PointerTo(p.t)
	byValue, byPointer, in := -1, -1, -1
	for i := len(w.Methods) - 1; i >= 0; i-- {
		if p.t.Implements(w.Methods[i].Out) {
			byValue = i
		}
		if pointer.Implements(w.Methods[i].Out) {
			byPointer = i
		}
		if pointer.Implements(w.Methods[i].In) {
			in = i
		}
	}
	switch {
	case byPointer < 0 && in < 0:
		return false, ""
	case byPointer < 0:
		return false, fmt.Sprintf("has %v, but no %v", w.Methods[in].In, w.Methods[in].Out)
	case in < 0:
		m := w.Methods[byPointer]
		return false, fmt.Sprintf("has %v, but no %v", m.Out, m.In)
	case byPointer != in || byValue >= 0 && byValue != in:
		return false, fmt.Sprintf("is read by %v and written by another method", w.Methods[in].In)
	case byValue < 0 && !p.addressable:
		return false, fmt.Sprintf("only a pointer is %v: keep pointers in the map",
			w.Methods[in].Out)
	case w.inherits(p.t, w.Methods[in].Out):
		return false, fmt.Sprintf("is %v by an embedded field: others would be lost",
			w.Methods[in].Out)
	}
	return true, ""
}

// inherits reports whether t may have a method from an embedded field, and has other fields.
func (w *walk) inherits(t, method reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	from, others := false, -1
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Size() > 0 {
			others++
		}
		from = from || f.Anonymous &&
			(f.Type.Implements(method) || reflect.PointerTo(f.Type).Implements(method))
	}
	return from && others > 0
}
