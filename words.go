// words.go moves keys and values word by word, so that a reader may meet a writer.

package larder

import (
	"reflect"
	"sync/atomic"
	"unsafe"
)

// wordSize is the size of a machine word in bytes.
const wordSize = unsafe.Sizeof(uintptr(0))

// whole is a T that fills whole words, whatever T is.
type whole[T any] struct {
	_ [0]uintptr
	v T
}

// layout tells which words of a whole[T] hold pointers. All moves are atomic per word, pointers as
// pointers, so that the garbage collector sees them. A value of several
// words can still be torn: whoever loads one checks a sequence number before looking into it.
type layout struct {
	words    uintptr
	pointers []bool // by word; nil if there are none
}

// layoutOf looks at T once, when a cache is made.
func layoutOf[T any]() layout {
	var w whole[T]
	l := layout{words: unsafe.Sizeof(w) / wordSize}
	pointers := make([]bool, l.words)
	if markPointers(pointers, reflect.TypeFor[T](), 0) {
		l.pointers = pointers
	}
	return l
}

// markPointers sets the words of a value of type t at offset that hold pointers, and tells whether
// there are any.
func markPointers(pointers []bool, t reflect.Type, offset uintptr) (any bool) {
	set := func(at uintptr) { pointers[at/wordSize], any = true, true }
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Map, reflect.Chan, reflect.Func,
		reflect.String, reflect.Slice:
		set(offset)
	case reflect.Interface: // a type word, which the collector treats as a pointer, and the data
		set(offset)
		set(offset + wordSize)
	case reflect.Array:
		for i := range uintptr(t.Len()) {
			if !markPointers(pointers, t.Elem(), offset+i*t.Elem().Size()) {
				return any // the others have none either
			}
			any = true
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			any = markPointers(pointers, f.Type, offset+f.Offset) || any
		}
	}
	return any
}

// single tells whether the value is one word that is no pointer.
func (l *layout) single() bool { return l.words == 1 && l.pointers == nil }

// load copies a value that others may be storing.
func (l *layout) load(dst, src unsafe.Pointer) {
	if l.single() {
		*(*uintptr)(dst) = atomic.LoadUintptr((*uintptr)(src))
		return
	}
	l.loadWords(dst, src)
}

func (l *layout) loadWords(dst, src unsafe.Pointer) {
	for i := range l.words {
		d, s := unsafe.Add(dst, i*wordSize), unsafe.Add(src, i*wordSize)
		if l.pointers != nil && l.pointers[i] {
			*(*unsafe.Pointer)(d) = atomic.LoadPointer((*unsafe.Pointer)(s))
		} else {
			*(*uintptr)(d) = atomic.LoadUintptr((*uintptr)(s))
		}
	}
}

// store puts a value where others may be loading it.
func (l *layout) store(dst, src unsafe.Pointer) {
	if l.single() {
		setWord((*uintptr)(dst), *(*uintptr)(src))
		return
	}
	l.storeWords(dst, src)
}

func (l *layout) storeWords(dst, src unsafe.Pointer) {
	for i := range l.words {
		d, s := unsafe.Add(dst, i*wordSize), unsafe.Add(src, i*wordSize)
		if l.pointers != nil && l.pointers[i] {
			setPointer((*unsafe.Pointer)(d), *(*unsafe.Pointer)(s))
		} else {
			setWord((*uintptr)(d), *(*uintptr)(s))
		}
	}
}

// forget clears the pointers of a value, so that what they lead to can be freed.
func (l *layout) forget(dst unsafe.Pointer) {
	for i := range l.pointers {
		if l.pointers[i] {
			setPointer((*unsafe.Pointer)(unsafe.Add(dst, uintptr(i)*wordSize)), nil)
		}
	}
}

// same tells whether two values are the same word for word.
func (l *layout) same(a, b unsafe.Pointer) bool {
	for i := range l.words {
		x, y := unsafe.Add(a, i*wordSize), unsafe.Add(b, i*wordSize)
		if *(*uintptr)(x) != *(*uintptr)(y) {
			return false
		}
	}
	return true
}
