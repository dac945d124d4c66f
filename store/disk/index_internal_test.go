//go:build unix

// index_internal_test.go tests what only shows when a process dies inside of the index.

package disk

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/larder-go/larder/store"
)

func TestLayoutIsFixed(t *testing.T) {
	var s shared
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"regions", unsafe.Offsetof(s.regions), 4096},
		{"segments", unsafe.Offsetof(s.segments), 4096 + 256*32},
		{"end", unsafe.Sizeof(s), 4096 + 256*32 + 1024*64},
	} {
		if c.got != c.want {
			t.Errorf("%s at %d, want %d: this is another format", c.name, c.got, c.want)
		}
	}
}

func newTestStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// deadProcess returns the id of a process that has ended.
func deadProcess(t *testing.T) uint64 {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skip("needs the program true: ", err)
	}
	return uint64(cmd.Process.Pid)
}

func TestLockOfADeadProcessIsTakenOver(t *testing.T) {
	s := newTestStore(t)
	dead := deadProcess(t)
	for i := range s.ix.regions {
		s.ix.regions[i].lock.Store(dead<<42 | s.ix.process&(spaceMask<<22) | 1)
		s.ix.regions[i].version.Store(7) // it was moving slots
	}
	if s.ix.dead(s.ix.process | 1) {
		t.Error("this process counts as dead")
	}
	if s.ix.dead(dead<<42 | (s.ix.process+1<<22)&(spaceMask<<22)) {
		t.Error("a process of another space counts as dead")
	}
	begin := time.Now()
	for i := range 20 {
		k := fmt.Sprint(i)
		if err := s.Set(t.Context(), k, store.Item{Value: []byte(k)}); err != nil {
			t.Fatal(err)
		}
		if item, err := s.Get(t.Context(), k); err != nil || string(item.Value) != k {
			t.Fatalf("Get(%s) = %q, %v", k, item.Value, err)
		}
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// TestMendRemovesWhatStandsTwice leaves slots as a process that died while it moved them.
func TestMendRemovesWhatStandsTwice(t *testing.T) {
	s := newTestStore(t)
	for i := range 2000 {
		if err := s.Set(t.Context(), fmt.Sprint(i), store.Item{Value: []byte{byte(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	twice := 0
	for i := range s.ix.regions {
		r := &s.ix.regions[i]
		slots := r.slots(s.ix.m)
		for j := range len(slots) - 1 {
			if v := slots[j+1].Load(); slots[j].Load() == 0 && v != 0 {
				continue // its home may be here
			} else if v != 0 && slots[j].Load() != v && rand.IntN(4) == 0 {
				if k := (j + 2) % len(slots); slots[k].Load() == 0 {
					slots[k].Store(v)
					twice++
				}
			}
		}
		s.ix.mend(r)
	}
	if twice == 0 {
		t.Fatal("nothing was damaged")
	}
	for i := range 2000 {
		k := fmt.Sprint(i)
		if item, err := s.Get(t.Context(), k); err != nil || item.Value[0] != byte(i) {
			t.Fatalf("Get(%s) = %v, %v", k, item.Value, err)
		}
		if err := s.Delete(t.Context(), k); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(t.Context(), k); err == nil {
			t.Fatalf("%s came back after Delete", k)
		}
	}
	if n := s.ix.entries.Load(); n != 0 {
		t.Errorf("%d entries after all were deleted", n)
	}
}

// TestRegionAgainstMap plays adding, growing and removing against a map.
func TestRegionAgainstMap(t *testing.T) {
	s := newTestStore(t)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	r, model := &s.ix.regions[5], map[uint64]slot{}
	for i := range 20_000 {
		hash := uint64(5)<<56 | uint64(rnd.IntN(1000))*uint64(rnd.IntN(3)+1)
		_, has := model[hash]
		switch {
		case has && rnd.IntN(2) == 0:
			slots := r.slots(s.ix.m)
			s.ix.removeLocked(r, slots, indexOf(t, s, r, model[hash]))
			delete(model, hash)
		case !has:
			spot, ok := s.ix.spotLocked(r, hash)
			if !ok {
				if err := s.grow(t.Context(), r, nil); err != nil {
					t.Fatal(err)
				}
				spot, _ = s.ix.spotLocked(r, hash)
			}
			model[hash] = newSlot(hash, i%1024, int64(i+8)*16)
			s.ix.addLocked(r, spot, model[hash])
		}
		if int(r.used.Load()) != len(model) {
			t.Fatalf("used %d, want %d", r.used.Load(), len(model))
		}
	}
	for _, v := range model {
		indexOf(t, s, r, v)
	}
	if n := len(s.ix.snapshot(r)); n != len(model) {
		t.Errorf("%d slots, want %d", n, len(model))
	}
}

// indexOf finds v as a reader does: from its home on, no empty slot between.
func indexOf(t *testing.T, s *Store, r *region, v slot) int {
	t.Helper()
	slots := r.slots(s.ix.m)
	for i := int(v.fingerprint()) % len(slots); slots[i].Load() != 0; i = (i + 1) % len(slots) {
		if slot(slots[i].Load()) == v {
			return i
		}
	}
	t.Fatalf("slot %x cannot be found", v)
	return 0
}

// TestVerifyFindsADamagedSlot flips each bit of the only slot but the one that says "used".
func TestVerifyFindsADamagedSlot(t *testing.T) {
	s := newTestStore(t)
	if err := s.Set(t.Context(), "k", store.Item{Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	f, _ := s.find(kindItem, "k", s.ix.hash(kindItem, "k"))
	right := f.spot.Load()
	for bit := range 63 {
		f.spot.Store(right ^ 1<<bit)
		if item, err := s.Get(t.Context(), "k"); err == nil && string(item.Value) != "v" {
			t.Errorf("bit %d: %q", bit, item.Value)
		}
		report, err := s.Verify(t.Context())
		if err != nil || len(report.Damaged) != 1 {
			t.Errorf("bit %d: Verify = %+v, %v", bit, report, err)
		}
	}
	f.spot.Store(right ^ 1<<40)
	if report, err := s.Repair(t.Context()); err != nil || len(report.Damaged) != 1 {
		t.Errorf("Repair = %+v, %v", report, err)
	}
	if report, err := s.Verify(t.Context()); err != nil || len(report.Damaged) != 0 {
		t.Errorf("after Repair: %+v, %v", report, err)
	}
}

// TestSegmentsThatLeftAreClosedUnderLoad has calls under way at every moment.
func TestSegmentsThatLeftAreClosedUnderLoad(t *testing.T) {
	s, err := Open(t.TempDir(), Options{MaxBytes: 4 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var wg sync.WaitGroup
	for g := range 16 {
		wg.Go(func() {
			value := make([]byte, 4000)
			for i := range 2000 {
				k := fmt.Sprint(g, "-", i%100)
				if err := s.Set(t.Context(), k, store.Item{Value: value}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if left := s.ix.drops.Load(); left < 500 {
		t.Fatalf("only %d segments have left", left)
	}
	if open := len(s.retired) + len(s.aged); open > 100 {
		t.Errorf("%d segments that have left are still open", open)
	}
}
