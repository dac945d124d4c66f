// compressed_test.go runs the acceptance suite, and feeds foreign bytes.

package compressed_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/compressed"
	"github.com/larder-go/larder/store/disk"
	"github.com/larder-go/larder/store/storetest"
)

func newMemory() store.Store { return store.NewMemory(store.MemoryOptions{}) }

func TestCompressed(t *testing.T) {
	for _, from := range []int{0, 1, 1 << 30} {
		t.Run(fmt.Sprint("From", from), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store {
				return compressed.New(newMemory(), compressed.Options{From: from})
			})
		})
	}
}

// plain hides what a store can do besides the interface.
type plain struct{ store.Store }

func TestCompressedOverAStoreWithoutAbilities(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		return compressed.New(plain{newMemory()}, compressed.Options{})
	})
}

func TestCompressedDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		s, err := disk.Open(t.TempDir(), disk.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return compressed.New(s, compressed.Options{})
	})
}

func set(t *testing.T, s store.Store, key string, value []byte) {
	t.Helper()
	if err := s.Set(t.Context(), key, store.Item{Value: value}); err != nil {
		t.Fatal(err)
	}
}

func TestCompressedMakesTextSmall(t *testing.T) {
	m := store.NewMemory(store.MemoryOptions{})
	c := compressed.New(m, compressed.Options{})
	text := bytes.Repeat([]byte("keep what is slow close. "), 1000)
	set(t, c, "k", text)
	item, err := m.Get(t.Context(), "k")
	if err != nil || len(item.Value) > len(text)/50 {
		t.Errorf("%d bytes are stored as %d, %v", len(text), len(item.Value), err)
	}
}

func TestCompressedTreatsForeignBytesAsAMiss(t *testing.T) {
	m := store.NewMemory(store.MemoryOptions{})
	c := compressed.New(m, compressed.Options{})
	set(t, c, "good", bytes.Repeat([]byte("x"), 5000))
	item, err := m.Get(t.Context(), "good")
	if err != nil {
		t.Fatal(err)
	}
	foreign := [][]byte{
		nil, {2}, {255}, {1}, {1, 0xff}, {1, 10, 1, 2, 3}, item.Value[:len(item.Value)-1],
		append([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}, item.Value[3:]...), // claims 34 GB
	}
	for _, b := range foreign {
		set(t, m, "bad", b)
		if got, err := c.Get(t.Context(), "bad"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("% x: got %d bytes, %v", b, len(got.Value), err)
		}
		if _, _, err := c.Open(t.Context(), "bad"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("open % x: %v", b, err)
		}
	}
}
