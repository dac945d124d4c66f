// random.go plays random operations against a map, alone and from many goroutines.

package storetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/larder-go/larder/store"
)

// randomOperations compares a store with a map. Nothing is evicted: it all fits.
func randomOperations(t *testing.T, s store.Store) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	model := map[string][]byte{}
	for i := range 5000 {
		key := fmt.Sprint("key", r.IntN(200))
		switch op := r.IntN(10); {
		case op < 5:
			compare(t, s, model, key)
		case op < 9:
			value := pattern(i, r.IntN(1<<r.IntN(13)))
			set(t, s, key, store.Item{Value: value})
			model[key] = value
		default:
			if err := s.Delete(context.Background(), key); err != nil {
				t.Fatal(err)
			}
			delete(model, key)
		}
	}
	for i := range 200 {
		compare(t, s, model, fmt.Sprint("key", i))
	}
}

func compare(t *testing.T, s store.Store, model map[string][]byte, key string) {
	t.Helper()
	if want, ok := model[key]; ok {
		wantValue(t, s, key, want)
	} else {
		wantAbsent(t, s, key)
	}
}

// goroutines lets 32 goroutines work on few keys. Every value names its key and is checked whole;
// each goroutine has a key of its own on which it must see what it did last.
func goroutines(t *testing.T, s store.Store) {
	var wg sync.WaitGroup
	for g := range 32 {
		wg.Go(func() {
			if err := hammer(s, g); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func hammer(s store.Store, g int) error {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(uint64(g), 7))
	mine := fmt.Sprint("mine", g)
	for i := range 300 {
		shared := r.IntN(8)
		key := fmt.Sprint("shared", shared)
		if err := s.Set(ctx, key, store.Item{Value: named(shared, r)}); err != nil {
			return err
		}
		if item, err := s.Get(ctx, key); err == nil {
			if err := checkNamed(shared, item.Value); err != nil {
				return err
			}
		} else if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if r.IntN(20) == 0 {
			if err := s.Delete(ctx, key); err != nil {
				return err
			}
		}
		want := pattern(g*1000+i, 50)
		if err := s.Set(ctx, mine, store.Item{Value: want}); err != nil {
			return err
		}
		if item, err := s.Get(ctx, mine); err != nil || !bytes.Equal(item.Value, want) {
			return fmt.Errorf("Get(%q) after Set = %.20q, %w", mine, item.Value, err)
		}
	}
	return nil
}

// named is a value that says which key it belongs to and how its bytes go on.
func named(key int, r *rand.Rand) []byte {
	seed := r.Uint32()
	b := binary.LittleEndian.AppendUint32(nil, uint32(key))
	b = binary.LittleEndian.AppendUint32(b, seed)
	return append(b, pattern(int(seed), int(seed%3000))...)
}

func checkNamed(key int, b []byte) error {
	if len(b) < 8 {
		return fmt.Errorf("value of %d bytes", len(b))
	}
	seed := binary.LittleEndian.Uint32(b[4:])
	if got := binary.LittleEndian.Uint32(b); got != uint32(key) {
		return fmt.Errorf("key %d got the value of key %d", key, got)
	}
	if !bytes.Equal(b[8:], pattern(int(seed), int(seed%3000))) {
		return fmt.Errorf("key %d: bytes of a value differ from those that were set", key)
	}
	return nil
}
