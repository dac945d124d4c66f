// argument.go tells arguments apart.

package sqlcache

import (
	"database/sql/driver"
	"math"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/larder-go/larder"
)

// arguments collects what tells the arguments of a statement from all others.
type arguments struct {
	parts   []any
	clock   bool // one of them may mean the time of now
	opaque  bool // one of them cannot be told from others
	dynamic bool // one of them says itself what it is, and may say something else the next time
	left    int  // how many values may still be looked at
	bytes   int  // and how many bytes of texts
}

// mostBytes is how long the texts among the arguments of a statement may be together, in bytes. To look
// at more would take longer than it is worth.
const mostBytes = 64 << 10

// mostValues is how many values the arguments of a statement may consist of.
const mostValues = 10_000

// argumentsOf returns what tells args apart, after parts.
func argumentsOf(parts []any) *arguments {
	return &arguments{parts: parts, left: mostValues, bytes: mostBytes}
}

// add adds a value, which belongs to the caller.
func (a *arguments) add(v any) {
	switch v := v.(type) {
	case nil, bool, int64, int, int32, uint64, uint32, int16, uint16, int8, uint8, uint:
		a.parts = append(a.parts, v)
	case string:
		a.text(v)
		a.parts = append(a.parts, v)
	case []byte:
		if len(v) <= mostBytes {
			a.text(string(v))
		}
		a.opaque = a.opaque || len(v) > mostBytes
		a.parts = append(a.parts, v)
	case float64: // a key does not know -0
		a.parts = append(a.parts, v, math.Signbit(v))
	case time.Time: // a key of a time is its instant alone
		zone, offset := v.Zone()
		a.parts = append(a.parts, v, zone, offset)
	default:
		a.other(v)
	}
}

// other adds a value that only some drivers take: an array, a pointer, a type that knows its value.
func (a *arguments) other(v any) {
	r := reflect.ValueOf(v)
	a.parts = append(a.parts, r.Type().PkgPath(), r.Type().String())
	if r.Kind() == reflect.Pointer && r.IsNil() {
		return
	}
	if valuer, ok := v.(driver.Valuer); ok {
		value, err := valuer.Value()
		a.dynamic = true
		a.opaque = a.opaque || err != nil || !driver.IsValue(value)
		if !a.opaque {
			a.add(value)
		}
		return
	}
	a.reflected(r)
}

// reflected adds a value by its kind.
func (a *arguments) reflected(r reflect.Value) {
	if a.left--; a.left < 0 {
		a.opaque = true
		return
	}
	switch r.Kind() {
	case reflect.Pointer:
		a.add(r.Elem().Interface())
	case reflect.Bool:
		a.add(r.Bool())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		a.add(r.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		a.add(r.Uint())
	case reflect.Float32, reflect.Float64:
		a.add(r.Float())
	case reflect.String:
		a.add(r.String())
	case reflect.Slice, reflect.Array:
		a.list(r)
	default:
		a.opaque = true
	}
}

// list adds the elements of a slice or an array.
func (a *arguments) list(r reflect.Value) {
	isNil := r.Kind() == reflect.Slice && r.IsNil()
	if r.Len() > a.left {
		a.opaque = true
		return
	}
	a.parts = append(a.parts, isNil, r.Len())
	a.left -= r.Len()
	for i := range r.Len() {
		if a.opaque {
			return
		}
		a.add(r.Index(i).Interface())
	}
}

// key returns the name of all of them.
func (a *arguments) key() (key larder.Key, ok bool) {
	if a.opaque {
		return key, false
	}
	key, err := larder.KeyOf(a.parts...)
	return key, err == nil
}

// text looks whether a text may be read as the time of now.
func (a *arguments) text(s string) {
	if a.bytes -= len(s); a.bytes < 0 {
		a.opaque = true
		return
	}
	a.clock = a.clock || isSpecial(s)
}

// special finds words that databases read as a time of now: 'today'::date.
var special = regexp.MustCompile(`\b(now|today|tomorrow|yesterday)\b`)

// longestTime is how long a text may be that is read as a time, in bytes, blanks aside: PostgreSQL
// takes 128. A list of times, which begins with a bracket, may be longer.
const longestTime = 256

// isSpecial reports whether a database may read a text as a time of now, or as a list with one.
func isSpecial(text string) bool {
	solid := 0
	for i := range len(text) {
		if text[i] <= ' ' {
			continue
		}
		if solid++; solid == 1 && (text[i] == '{' || text[i] == '[' || text[i] == '(') {
			break
		}
		if solid > longestTime {
			return false
		}
	}
	lower := strings.ToLower(text)
	for _, part := range []string{"now", "day", "tomorrow"} { // quicker than the expression
		if strings.Contains(lower, part) {
			return special.MatchString(lower)
		}
	}
	return false
}
