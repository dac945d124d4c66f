// depth.go finds values that contain themselves before a codec loses its way in them.

package codec

import (
	"fmt"
	"reflect"
	"sync"
)

// maxDepth is how deep a value may be nested, pointers not counted: as deep as encoding/json reads.
const maxDepth = 10_000

// recursive remembers of types whether they contain themselves: a [reflect.Type] to a bool. It only
// grows, by the types of the program.
var recursive sync.Map

// CheckDepth returns an error that wraps [ErrRefused] if value is nested deeper than 10,000 levels
// of structs, lists and maps, such as a list that bites its tail. Where the type cannot contain
// itself, that costs no more than a look into a table.
func CheckDepth(value any) error {
	t := reflect.TypeOf(value)
	if t == nil {
		return nil
	}
	known, ok := recursive.Load(t)
	if !ok {
		known = contains(t, map[reflect.Type]bool{})
		recursive.Store(t, known)
	}
	if known.(bool) && tooDeep(reflect.ValueOf(value), maxDepth) {
		return fmt.Errorf("%w: a %s nested deeper than %d", ErrRefused, title(t), maxDepth)
	}
	return nil
}

// contains reports whether t contains itself, or one of the types that around says true of. It says
// false of those that were looked at. Types with methods of their own are not looked into.
func contains(t reflect.Type, around map[reflect.Type]bool) bool {
	if inside, seen := around[t]; seen || hasMethods(t) {
		return inside
	}
	around[t] = true
	defer func() { around[t] = false }()
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return contains(t.Elem(), around)
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); isVisible(f) && contains(f.Type, around) {
				return true
			}
		}
	}
	return false
}

// isVisible reports whether a codec may look into a field.
func isVisible(f reflect.StructField) bool { return f.IsExported() || f.Anonymous }

// tooDeep reports whether v has more than left levels.
func tooDeep(v reflect.Value, left int) bool {
	if left < 0 {
		return true
	}
	t := v.Type()
	switch v.Kind() {
	case reflect.Pointer:
		if t.Elem().Kind() == reflect.Pointer { // no codec takes it, and it may point to itself
			left--
		}
		return !v.IsNil() && tooDeep(v.Elem(), left)
	case reflect.Slice, reflect.Array:
		for i := 0; i < v.Len() && !isLeaf(t.Elem()); i++ {
			if tooDeep(v.Index(i), left-1) {
				return true
			}
		}
	case reflect.Map:
		for e := v.MapRange(); !isLeaf(t.Elem()) && e.Next(); {
			if tooDeep(e.Value(), left-1) {
				return true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if isVisible(t.Field(i)) && tooDeep(v.Field(i), left-1) {
				return true
			}
		}
	}
	return false
}

// isLeaf reports whether values of t contain no others.
func isLeaf(t reflect.Type) bool {
	return t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String
}
