// made_internal_test.go tests what is written down for a store.

package gallery

import (
	"reflect"
	"testing"

	"github.com/larder-go/larder/gallery/thumb"
)

func TestThumbnailsSurviveAStore(t *testing.T) {
	for _, want := range []made{
		{},
		{Wrong: "damaged: unexpected EOF", Tag: "v"},
		{Thumb: thumb.Thumb{
			Bytes: []byte("JPEG"), Type: "image/jpeg", Width: 6000, Height: 4000, Hash: []byte{1, 2},
		}, Tag: "1-2"},
	} {
		b, err := want.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var got made
		if err := got.UnmarshalBinary(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func FuzzMade(f *testing.F) {
	whole, err := made{
		Thumb: thumb.Thumb{Bytes: []byte("JPEG"), Type: "image/jpeg", Width: 3}, Tag: "v",
	}.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	for i := range whole {
		f.Add(whole[:i])
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again made
		if m.UnmarshalBinary(b) != nil {
			return
		}
		out, err := m.MarshalBinary()
		if err == nil {
			err = again.UnmarshalBinary(out)
		}
		if err != nil || !reflect.DeepEqual(m, again) {
			t.Errorf("%q: %+v, then %+v, %v", b, m, again, err)
		}
	})
}
