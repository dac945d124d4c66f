// data.go calls data that is lazy.

package fragment

import (
	"context"
	"fmt"
	"reflect"

	"github.com/larder-go/larder"
)

// forever is larder.Forever, which templates write as a word.
const forever = larder.Forever

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// valueOf returns data, or what it returns if it is a function.
func valueOf(ctx context.Context, data any) (any, error) {
	f := reflect.ValueOf(data)
	if f.Kind() != reflect.Func {
		return data, nil
	}
	if !isLazy(f.Type()) || f.IsNil() {
		return nil, fmt.Errorf("lazy data is a %T: it may take a context.Context, must return a "+
			"value and may return an error, and cannot be nil", data)
	}
	var in []reflect.Value
	if f.Type().NumIn() == 1 {
		in = []reflect.Value{reflect.ValueOf(&ctx).Elem()}
	}
	out := f.Call(in)
	if len(out) == 2 && !out[1].IsNil() {
		return nil, out[1].Interface().(error)
	}
	return out[0].Interface(), nil
}

// isLazy tells whether a function can be called for data.
func isLazy(f reflect.Type) bool {
	takes := f.NumIn() == 0 || f.NumIn() == 1 && f.In(0) == contextType && !f.IsVariadic()
	gives := f.NumOut() == 1 || f.NumOut() == 2 && f.Out(1) == errorType
	return takes && gives
}
