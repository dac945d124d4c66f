// fingerprint.go says in eight digits how the values of a type are laid out.

package codec

import (
	"fmt"
	"hash"
	"hash/fnv"
	"reflect"
	"strconv"
	"strings"
)

// Fingerprint returns eight hexadecimal digits that say how values of type t are laid out when they
// are encoded: kinds, names and tags of fields, in their order, and all of that of what they are
// made of. A field that is added, removed, renamed or gets another type changes them; that the type
// or its package was renamed does not. Only where a type has methods that turn it into bytes, its
// name counts as well, and of such a type of the standard library nothing but its name.
//
// They are the same in every run, on every machine and with every version of Go.
func Fingerprint(t reflect.Type) string {
	p := printer{fnv.New32a(), map[reflect.Type]int{}}
	p.print(t)
	return fmt.Sprintf("%08x", p.Sum32())
}

// printer hashes the description of a type.
type printer struct {
	hash.Hash32
	seen map[reflect.Type]int // named types by the order in which they were met
}

// write hashes parts so that no others, joined, are the same.
func (p *printer) write(parts ...string) {
	for _, part := range parts {
		fmt.Fprintf(p, "%d:%s", len(part), part)
	}
}

// print describes t. What it is made of is said once, which ends where types contain themselves.
func (p *printer) print(t reflect.Type) {
	if t == nil {
		p.write("nil")
		return
	}
	if n, ok := p.seen[t]; ok {
		p.write("again", strconv.Itoa(n))
		return
	}
	if t.Name() != "" && !isLeaf(t) {
		p.seen[t] = len(p.seen)
	}
	p.write(t.Kind().String())
	if hasMethods(t) {
		p.write("named", shortName(t))
		if isStandard(t.PkgPath()) {
			return
		}
	}
	p.inside(t)
}

func (p *printer) inside(t reflect.Type) {
	switch t.Kind() {
	case reflect.Array:
		p.write(strconv.Itoa(t.Len()))
		p.print(t.Elem())
	case reflect.Slice, reflect.Pointer:
		p.print(t.Elem())
	case reflect.Map:
		p.print(t.Key())
		p.print(t.Elem())
	case reflect.Struct:
		p.write(strconv.Itoa(t.NumField()))
		for i := range t.NumField() {
			f := t.Field(i)
			p.write(f.Name, strconv.FormatBool(f.Anonymous))
			p.write(f.Tag.Get("json"), f.Tag.Get("msgpack"))
			p.print(f.Type)
		}
	}
}

// hasMethods reports whether t, or a pointer to it, has a method that turns it into bytes.
func hasMethods(t reflect.Type) bool {
	if t.Name() == "" || t.Kind() == reflect.Interface {
		return false
	}
	pointer := reflect.PointerTo(t)
	for _, out := range []reflect.Type{jsonOut, textOut, binaryOut, msgpackOut} {
		if pointer.Implements(out) {
			return true
		}
	}
	_, ok := pointer.MethodByName("EncodeMsgpack") // its argument is of a package we do not import
	return ok
}

var msgpackOut = reflect.TypeFor[interface{ MarshalMsgpack() ([]byte, error) }]()

// shortName is the name of t without what its package or its type parameters are called.
func shortName(t reflect.Type) string {
	name, _, _ := strings.Cut(t.Name(), "[")
	return name
}

// standard are the folders of the standard library whose types have such methods.
const standard = " archive crypto database encoding go hash image log math net regexp time uuid "

// isStandard reports whether a package is part of the standard library: what its types are made of
// may change with the version of Go, and what they are encoded as does not.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return first != "" && strings.Contains(standard, " "+first+" ")
}
