// example_test.go shows which codec a type gets.

package codec_test

import (
	"fmt"
	"reflect"

	"github.com/larder-go/larder/codec"
)

type customer struct {
	Name string
	//lint:ignore U1000 it is there to be refused
	password string
}

func ExampleDefault() {
	c, err := codec.Default(reflect.TypeFor[map[string][]int]())
	fmt.Println(c.Name(), err)

	_, err = codec.Default(reflect.TypeFor[customer]())
	fmt.Println(err)
	// Output:
	// json <nil>
	// codec: refused: json: customer.password: unexported, would be lost
	// codec: refused: binary: customer: has no MarshalBinary
}
