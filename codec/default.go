// default.go chooses a codec by the type.

package codec

import (
	"errors"
	"reflect"
)

// Default returns the codec for values of type t where nobody has chosen one: [Bytes] for bytes and
// strings, else [JSON] if nothing would be lost, else [Binary] if the type has the methods.
//
// JSON comes first because people and other programs can read it, and because it says itself when
// bytes are damaged. The error wraps [ErrRefused] and says why none will do.
func Default(t reflect.Type) (Codec, error) {
	var errs []error
	for _, c := range []Codec{Bytes{}, JSON{}, Binary{}} {
		err := c.Check(t)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs[1:]...) // what is no bytes is known not to be
}
