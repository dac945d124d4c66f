// warm_test.go tests what is loaded before it is asked for.

package larder_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/policy"
	"github.com/larder-go/larder/store"
)

func TestWarmLoadsWhatIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int64
		c := larder.Memoize(func(_ context.Context, k int) (int, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			time.Sleep(time.Second)
			switch {
			case k%10 == 3:
				return 0, larder.ErrNotFound
			case k%10 == 4:
				return 0, errOrigin
			}
			return k, nil
		}, larder.Options[int, int]{})
		defer c.Close()
		c.Set(ctx, 0, 0)
		var last larder.Warmed
		keys := func(yield func(int) bool) {
			for k := 0; k < 50 && yield(k); k++ {
			}
		}
		done, err := c.Warm(ctx, keys, larder.WarmOptions{AtOnce: 2, Batch: 5,
			Progress: func(w larder.Warmed) { last = w }})
		want := larder.Warmed{Keys: 50, Loaded: 39, NotFound: 0, Failed: 10}
		if done.Keys != want.Keys || done.Loaded != want.Loaded || done.NotFound+done.Failed != 10 ||
			!errors.Is(err, errOrigin) || last != done {
			t.Errorf("%+v, %v; the last progress %+v", done, err, last)
		}
		if most.Load() > 10 {
			t.Errorf("%d loads at once, want at most two batches of 5", most.Load())
		}
		if s := c.Stats(); s.Misses != 0 || s.Hits != 0 {
			t.Errorf("warming counts as %d hits, %d misses", s.Hits, s.Misses)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := c.Warm(ended, keys, larder.WarmOptions{}); !errors.Is(err, context.Canceled) {
			t.Errorf("Warm: %v", err)
		}
	})
}

func TestHottestAndSnapshots(t *testing.T) {
	for _, p := range policy.All() {
		synctest.Test(t, func(t *testing.T) {
			o := larder.Options[string, int]{Name: "snap", MaxEntries: 1000, TTL: time.Hour, Policy: p.New}
			c := larder.New(o)
			defer c.Close()
			for i := range 1000 {
				c.Set(ctx, fmt.Sprint(i), i)
			}
			for range 20 {
				for i := range 100 {
					c.Get(ctx, fmt.Sprint(7*i))
				}
			}
			c.SetEntry(ctx, "tagged", larder.Entry[int]{Value: -1, Tags: []string{"t"}})
			if n := len(c.Hottest(5000)); n != c.Len() {
				t.Errorf("%s: Hottest knows %d of %d", p.Name, n, c.Len())
			}
			var file bytes.Buffer
			if n, err := c.Save(&file, 10_000); n != c.Len() || err != nil {
				t.Fatalf("%s: Save = %d, %v", p.Name, n, err)
			}
			time.Sleep(time.Minute)
			d := larder.New(o)
			defer d.Close()
			d.Set(ctx, "7", 777)
			n, err := d.Restore(ctx, &file)
			if v, _ := d.Lookup("7"); n < c.Len()-1 || err != nil || v != 777 || d.Len() != c.Len() {
				t.Errorf("%s: Restore = %d of %d, %v; 7 is %d", p.Name, n, c.Len(), err, v)
			}
			d.DeleteTag(ctx, "t")
			if _, ok := d.Lookup("tagged"); ok {
				t.Errorf("%s: the tag was not restored", p.Name)
			}
			time.Sleep(59 * time.Minute)
			for k := range d.All() {
				if k != "7" {
					t.Errorf("%s: %s outlives its time", p.Name, k)
				}
			}
		})
	}
}

func TestASnapshotOfTheHottest(t *testing.T) {
	c := larder.New(larder.Options[int, int]{MaxEntries: 1000, Policy: policy.LFU})
	defer c.Close()
	for i := range 1000 {
		c.Set(ctx, i, i)
	}
	for range 50 {
		for i := 500; i < 510; i++ {
			c.Get(ctx, i)
		}
	}
	got := c.Hottest(10)
	slices.Sort(got)
	if got[0] != 500 || got[9] != 509 {
		t.Errorf("Hottest = %v", got)
	}
	path := filepath.Join(t.TempDir(), "hot")
	if n, err := c.SaveFile(path, 10); n != 10 || err != nil {
		t.Fatalf("SaveFile = %d, %v", n, err)
	}
	d := larder.New(larder.Options[int, int]{})
	defer d.Close()
	if n, err := d.RestoreFile(ctx, path); n != 10 || err != nil {
		t.Errorf("RestoreFile = %d, %v", n, err)
	}
	if n, err := d.RestoreFile(ctx, path+".absent"); n != 0 || err != nil {
		t.Errorf("RestoreFile of nothing = %d, %v", n, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files: %v", left)
	}
}

func TestASnapshotThatIsNone(t *testing.T) {
	c := larder.New(larder.Options[int, string]{Name: "a"})
	defer c.Close()
	for i := range 100 {
		c.Set(ctx, i, fmt.Sprint(i))
	}
	var file bytes.Buffer
	c.Save(&file, 100)
	other := larder.New(larder.Options[int, string]{Name: "b"})
	defer other.Close()
	if n, err := other.Restore(ctx, bytes.NewReader(file.Bytes())); n != 0 || !errors.Is(err, larder.ErrSnapshot) {
		t.Errorf("of another name: %d, %v", n, err)
	}
	for cut := range file.Len() {
		d := larder.New(larder.Options[int, string]{Name: "a"})
		n, err := d.Restore(ctx, bytes.NewReader(file.Bytes()[:cut]))
		if n > 100 || err == nil && n == 100 {
			t.Errorf("cut at %d: %d, %v", cut, n, err)
		}
		d.Close()
	}
	for at := range file.Len() {
		bad := bytes.Clone(file.Bytes())
		bad[at] ^= 0x10
		d := larder.New(larder.Options[int, string]{Name: "a"})
		if n, err := d.Restore(ctx, bytes.NewReader(bad)); err == nil || n >= 100 {
			t.Errorf("bit flipped at %d: %d, %v", at, n, err)
		}
		for k, v := range d.All() {
			if v != fmt.Sprint(k) {
				t.Errorf("bit flipped at %d: %d is %q", at, k, v)
			}
		}
		d.Close()
	}
}

func TestASnapshotOfASharedCacheIsItsKeys(t *testing.T) {
	shared := store.NewMemory(store.MemoryOptions{})
	o := larder.Options[int, string]{Name: "shared", Store: shared.Share()}
	c := larder.New(o)
	defer c.Close()
	c.Set(ctx, 1, "old")
	c.Set(ctx, 2, "same")
	var file bytes.Buffer
	c.Save(&file, 10)
	c.Set(ctx, 1, "new")
	o.Store = shared.Share()
	d := larder.New(o)
	defer d.Close()
	n, err := d.Restore(ctx, &file)
	if v, _ := d.Lookup(1); n != 2 || err != nil || v != "new" {
		t.Errorf("Restore = %d, %v; 1 is %q", n, err, v)
	}
}
