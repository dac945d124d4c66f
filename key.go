// key.go makes a key of several arguments: it writes them down canonically and hashes that.

package larder

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"time"
)

// Key is a key for a call with several arguments, made by KeyOf. Keys can be compared, so a Key can
// be the K of a Cache.
type Key [sha256.Size]byte

// String returns the key as 64 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// KeyOf returns the SHA-256 hash of args written down in a canonical way: what is equal is written
// alike, in every run, on every machine, by every version of Go; what differs is written
// differently, since every part carries its type and its length.
//
// Use it for arguments that Go cannot compare, such as slices and maps, or that are too large to
// keep. A loader cannot get them back from a Key: look it up, and set what was missing. Where all
// arguments can be compared, a struct of them as the K of a Cache is better: Get loads, nothing is
// hashed twice, and the compiler does the refusing.
//
// Two lists of arguments have the same key exactly if reflect.DeepEqual finds them equal, save for
// the exceptions below. In doubt things differ, for that costs a load at worst, while a key too few
// serves a wrong value:
//
//   - The type counts: 1, int64(1), "1" and UserID(1) are four keys. A type is its package path,
//     its name and what it is made of, so a struct that gets another field makes other keys.
//     Two types declared inside of functions of one package cannot be told apart if they have the
//     same name and are made of the same.
//   - A nil slice or map is not an empty one: JSON and SQL tell them apart, a function may too.
//   - Fields count whether exported or not, except for blank ones. Maps have no order. An interface
//     counts as what is in it.
//   - 0 and -0 are equal. So are all NaNs, of which Go says otherwise: they stand for missing
//     values, and their bits depend on the machine. Only as the key of a map a NaN is refused.
//   - A time.Time, or a type made of it, is its instant: neither its location nor its monotonic
//     clock counts. If a function formats it, pass the location's name as well.
//   - A big.Int and a big.Rat of package math/big are their value.
//   - A type that holds pointers, functions or channels of its own, such as netip.Addr or url.URL,
//     counts as its name and what its MarshalBinary returns, or else its MarshalText. (Text is for
//     people, and may round or hide.) A type that can be read, such as a UUID, is not asked: its
//     text might be "***". Nor is a struct that embeds another with the same method, which it
//     may have inherited and which would not know its other fields; it is read field by field.
//
// Refused, with an error that names the argument and the way to the part, are functions, channels,
// unsafe.Pointer and pointers, even if they are nil. Where a pointer leads is no data: another run
// leads elsewhere, and what is there may change while the pointer does not. Pass what it points to,
// or a name for it; for a function a name and a version. Pointers to a time.Time or to one of the
// types of the last two points count as what they point to, since a *big.Int or a *url.URL is
// rarely seen otherwise; nil is not the same as zero. Refused too are data nested deeper than 1000,
// which probably contain themselves, and types whose method to marshal fails or panics.
//
// KeyOf does not keep the arguments, and nobody may change them while it runs.
func KeyOf(args ...any) (Key, error) {
	var room [256]byte
	b := appendKeyHead(room[:0], len(args))
	for _, arg := range args {
		var ok bool
		if b, ok = appendCommon(b, arg); !ok {
			return keyOfAny(args)
		}
	}
	return sha256.Sum256(b), nil
}

// keyOfAny is KeyOf for everything: by reflection, and without a bound on the size.
func keyOfAny(args []any) (Key, error) {
	w := keyWriter{shapes: map[reflect.Type]*keyShape{}}
	w.buf = appendKeyHead(make([]byte, 0, 512), len(args))
	for i, arg := range args {
		if err := w.item(reflect.ValueOf(arg)); err != nil {
			return Key{}, fmt.Errorf("larder: KeyOf: argument %d%w", i+1, err)
		}
	}
	return w.sum(), nil
}

// The encoding is a head, then one item for each argument. An item is a type and a value. A type
// says how the bytes of its values are laid out, and all that may vary in length begins with its
// length; so one can read an encoding from left to right in one way only, and no two lists of
// arguments share one. Numbers have eight bytes, the highest first; lengths are varints.
//
// Changing anything here changes every key that somebody stored: then raise keyVersion.
const (
	keyVersion  = 1
	maxKeyDepth = 1000    // far more than what somebody wrote, far less than the stack can bear
	keyChunk    = 4 << 10 // bytes that are hashed together
	keyItem     = 16      // bytes of the longest item of appendCommon, text aside
)

// What a type begins with, besides the letters of keyKinds.
const (
	keyNil    = '0' // no type: a nil interface
	keyTime   = 't' // time.Time, and what is made of it
	keyBinary = 'B' // a type that is asked for its MarshalBinary
	keyText   = 'X' // a type that is asked for its MarshalText
	keyType   = 'N' // a described type: letter, package path, name, and what it is made of
	keyAgain  = 'R' // a type that was described before, by its number
)

// keyKinds has a letter for each kind. The numbers of package reflect might change one day.
var keyKinds = [...]byte{
	reflect.Bool: 'b', reflect.String: 's',
	reflect.Int: 'i', reflect.Int8: 'j', reflect.Int16: 'k', reflect.Int32: 'l', reflect.Int64: 'm',
	reflect.Uint: 'u', reflect.Uint8: 'v', reflect.Uint16: 'w', reflect.Uint32: 'x',
	reflect.Uint64: 'y', reflect.Uintptr: 'z',
	reflect.Float32: 'f', reflect.Float64: 'g', reflect.Complex64: 'c', reflect.Complex128: 'd',
	reflect.Array: 'A', reflect.Slice: 'S', reflect.Map: 'M', reflect.Struct: 'T',
	reflect.Interface: 'I', reflect.Pointer: 'P', reflect.Func: 'F', reflect.Chan: 'C',
	reflect.UnsafePointer: 'U',
}

func appendKeyHead(b []byte, args int) []byte {
	return binary.AppendUvarint(append(b, keyVersion), uint64(args))
}

func appendKeyNumber(b []byte, kind reflect.Kind, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, keyKinds[kind]), n)
}

// appendCommon appends the item of an argument as most are. It is what keyWriter.item does, without
// reflection. It declines what does not fit into b.
func appendCommon(b []byte, arg any) (_ []byte, ok bool) {
	if cap(b)-len(b) < keyItem {
		return b, false
	}
	switch v := arg.(type) {
	case nil:
		return append(b, keyNil), true
	case string:
		if len(v) > cap(b)-len(b)-keyItem {
			return b, false
		}
		b = binary.AppendUvarint(append(b, keyKinds[reflect.String]), uint64(len(v)))
		return append(b, v...), true
	case time.Time:
		return appendInstant(append(b, keyTime), v), true
	case bool:
		return append(b, keyKinds[reflect.Bool], oneIf(v)), true
	case float64:
		return appendKeyNumber(b, reflect.Float64, floatBits(v)), true
	}
	return appendInteger(b, arg)
}

func appendInteger(b []byte, arg any) (_ []byte, ok bool) {
	switch v := arg.(type) {
	case int:
		return appendKeyNumber(b, reflect.Int, uint64(v)), true
	case int64:
		return appendKeyNumber(b, reflect.Int64, uint64(v)), true
	case int32:
		return appendKeyNumber(b, reflect.Int32, uint64(v)), true
	case uint:
		return appendKeyNumber(b, reflect.Uint, uint64(v)), true
	case uint64:
		return appendKeyNumber(b, reflect.Uint64, v), true
	case uint32:
		return appendKeyNumber(b, reflect.Uint32, uint64(v)), true
	}
	return b, false
}

func appendInstant(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// floatBits returns the same bits for numbers that count as equal.
func floatBits(f float64) uint64 {
	if math.IsNaN(f) {
		return 0x7ff8000000000001 // as math.NaN
	}
	return math.Float64bits(f + 0) // -0 + 0 is 0
}

func oneIf(b bool) byte {
	if b {
		return 1
	}
	return 0
}
