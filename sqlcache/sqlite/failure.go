// failure.go tells a statement that SQLite refuses from a database that could not be asked.

package sqlite

import (
	"errors"
	"reflect"
)

var errNoNumber = errors.New("sqlcache/sqlite: no number where SQLite has one")

// genericError is SQLite's code for a statement that it does not understand: wrong words, tables
// or columns that are not there.
const genericError = 1

// isRefusal reports whether an error says that a statement does not compile.
func isRefusal(err error) bool {
	code, ok := codeOf(err)
	return ok && code&0xff == genericError
}

// codeOf returns SQLite's code of an error, as far as its driver tells.
func codeOf(err error) (int64, bool) {
	var coded interface{ Code() int }
	if errors.As(err, &coded) {
		return int64(coded.Code()), true
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if code, ok := codeField(err); ok {
			return code, true
		}
	}
	return 0, false
}

// codeField returns the code of an error of a driver that has it in a field Code.
func codeField(err error) (int64, bool) {
	v := reflect.Indirect(reflect.ValueOf(err))
	if v.Kind() != reflect.Struct {
		return 0, false
	}
	f := v.FieldByName("Code")
	if !f.IsValid() || !f.CanInt() {
		return 0, false
	}
	return f.Int(), true
}
