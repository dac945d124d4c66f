// snapshot_test.go compares what a cache reports with what was asked of it.

package artifact_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/stats"
	"github.com/larder-go/larder/stats/statstest"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

func keyOf(arg any) artifact.Key { return artifact.Key{Args: []any{arg}} }

// fails returns work that fails.
func fails(err error) func(context.Context, io.Writer) error {
	return func(context.Context, io.Writer) error { return err }
}

func TestSnapshotHasEachRequestOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMemory(store.MemoryOptions{})
		b := newBench(t, artifact.Options{Store: s, Name: "film"})
		slow := func(context.Context, io.Writer) error {
			time.Sleep(time.Second)
			return nil
		}
		var crowd sync.WaitGroup
		for range 3 {
			crowd.Go(func() {
				r, err := b.cache.Open(t.Context(), keyOf("a"), slow)
				if err != nil {
					t.Error(err)
					return
				}
				r.Close()
			})
		}
		synctest.Wait()
		statstest.Expect(t, b.cache.Snapshot(), statstest.Numbers{"loads_in_flight": 1})
		crowd.Wait()
		b.open(keyOf("a"), "")
		_, release, err := b.cache.Path(t.Context(), keyOf("a"), nil)
		if err != nil {
			t.Fatal(err)
		}
		release()
		b.fail(t.Context(), keyOf("b"), fails(errors.New("broken")))
		b.fail(t.Context(), keyOf("b"), fails(larder.ErrNotFound))
		b.fail(t.Context(), keyOf("b"), func(context.Context, io.Writer) error { panic("broken") })
		b.fail(t.Context(), artifact.Key{Files: []string{filepath.Join(t.TempDir(), "none")}}, nil)
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		b.fail(short, keyOf("c"), func(ctx context.Context, _ io.Writer) error {
			<-ctx.Done()
			return ctx.Err()
		})
		synctest.Wait()
		got := statstest.Of(t, b.cache)
		statstest.Expect(t, got, statstest.Numbers{
			"requests hit": 2, "requests coalesced": 2, "requests miss": 2, "requests failed": 4,
			"loads ok": 1, "loads absent": 1, "loads error": 3, "loads_in_flight": 0,
		})
		if got.Durations.Count != 5 || got.Name != "film" || got.Kind != stats.Artifact {
			t.Errorf("%s %q with %d loads", got.Kind, got.Name, got.Durations.Count)
		}
	})
}

// fail asks for what cannot be had.
func (b *bench) fail(
	ctx context.Context, key artifact.Key, work func(context.Context, io.Writer) error,
) {
	b.t.Helper()
	if r, err := b.cache.Open(ctx, key, work); err == nil {
		r.Close()
		b.t.Errorf("%v: no error", key)
	}
}

func TestSnapshotSaysWhyArtifactsWereNotKept(t *testing.T) {
	s := storetest.NewFaulty(store.NewMemory(store.MemoryOptions{MaxBytes: 1 << 20}))
	b := newBench(t, artifact.Options{Store: s})
	file := write(t, filepath.Join(t.TempDir(), "input"), "old")
	key := artifact.Key{Files: []string{file}}
	for range 2 {
		r, err := b.cache.Open(t.Context(), key, func(context.Context, io.Writer) error {
			write(t, file, "new and longer each time: "+time.Now().String())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	b.open(keyOf("large"), string(make([]byte, 2<<20)))
	s.Fail(errors.New("out of order"))
	b.open(keyOf("a"), "text")
	statstest.Expect(t, statstest.Of(t, b.cache), statstest.Numbers{
		"not_kept an input file changed": 2, "not_kept too large for the store": 1,
		"not_kept the store failed": 1, "requests miss": 4, "loads ok": 4, "requests failed": 0,
	})
}
