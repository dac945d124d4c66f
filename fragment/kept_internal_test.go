// kept_internal_test.go feeds bytes to the reader of fragments, which nobody can do from outside.

package fragment

import (
	"reflect"
	"testing"
	"time"
)

func FuzzUnmarshalBinary(f *testing.F) {
	whole, _ := kept{"<p>", []string{"a", "name:b"}, time.Minute}.MarshalBinary()
	f.Add(whole)
	f.Add([]byte{0, 1, 9, 'a'})
	f.Add([]byte{0, 9, 1, 'a'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var k, again kept
		if k.UnmarshalBinary(b) != nil {
			return
		}
		out, _ := k.MarshalBinary()
		if err := again.UnmarshalBinary(out); err != nil || !reflect.DeepEqual(k, again) {
			t.Errorf("%x is %+v, then %+v, %v", b, k, again, err)
		}
	})
}
