package larder

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/larder-go/larder/codec"
	"github.com/larder-go/larder/store"
)

type fuzzed struct {
	Name string
	List []int
}

// FuzzStored decodes what may stand in a store: it is what was encoded, or a counted miss.
func FuzzStored(f *testing.F) {
	t := &tier[string, fuzzed]{codec: codec.JSON{}, tagHead: "f:"}
	for _, s := range []stored[fuzzed]{
		{}, {absent: true}, {value: fuzzed{"a", []int{1, 2}}, took: time.Second},
	} {
		b, err := t.encode(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte("\x01\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(tt *testing.T, b []byte) {
		s, err := t.decode(store.Item{Value: bytes.Clone(b), Tags: []string{"f:t"}})
		if err != nil {
			if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrDamaged) {
				tt.Fatalf("decode: %v", err)
			}
			return
		}
		if s.took < 0 || len(s.item.Tags) != 1 || s.item.Tags[0] != "t" {
			tt.Fatalf("decode = %+v", s)
		}
		again, err := t.encode(s)
		if err != nil {
			tt.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if _, err := t.decode(store.Item{Value: again}); err != nil {
			tt.Fatalf("decode of what was encoded: %v", err)
		}
	})
}
