// snapshot_test.go compares what a list of files reports with what was asked of it.

package files_test

import (
	"errors"
	"testing"

	"github.com/larder-go/larder/prefetch/files"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// holdAll works through all files.
func holdAll(t *testing.T, f *files.Files, n int) {
	t.Helper()
	for i := range n {
		_, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	names, _ := fill(t, t.TempDir(), 20, 1000)
	f := open(t, names, files.Options{MaxBytes: 1 << 20, Name: "scans"})
	holdAll(t, f, len(names))
	if _, _, err := f.Hold(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	got, n := statstest.Of(t, f), f.Stats()
	statstest.Expect(t, got, statstest.Numbers{
		"loads ok": 20, "loads error": 0, "used": float64(n.Weight), "limit": 1 << 20,
		"requests hit": float64(n.Hits), "prefetches used": float64(n.Used), "entries": 20,
	})
	if sum := got.Sum(stats.Requests); sum != 21 || n.Asks != 21 {
		t.Errorf("the requests add up to %v, want the asks of %+v", sum, n)
	}
	if _, ok := got.Value(stats.Weight, ""); ok || got.Name != "scans" || got.Kind != stats.Files {
		t.Errorf("%s %q reports a weight: %v", got.Kind, got.Name, ok)
	}
}

func TestSnapshotTellsWhatTheStoreHad(t *testing.T) {
	names, _ := fill(t, t.TempDir(), 3, 1000)
	s := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{}))
	defer s.Close()
	for _, round := range []struct {
		err             error
		hit, miss, fail float64
	}{
		{nil, 0, 3, 0},
		{nil, 3, 0, 0},
		{errors.New("out of order"), 0, 0, 3},
	} {
		if round.err != nil {
			s.Fail(round.err)
		}
		f := open(t, names, files.Options{Store: s})
		holdAll(t, f, len(names))
		statstest.Expect(t, statstest.Of(t, f), statstest.Numbers{
			"store_requests hit": round.hit, "store_requests miss": round.miss,
			"store_requests error": round.fail, "loads ok": 3,
		})
		if n := f.Stats().Found; float64(n) != round.hit {
			t.Errorf("%d files found, want %v", n, round.hit)
		}
	}
}
