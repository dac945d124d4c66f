// share_linux_test.go works through a slow share.

package files_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/slowshare"
	"github.com/larder-go/larder/prefetch/files"
)

func TestWorkOnASlowShareTakesAsLongAsTheSlowerOfBoth(t *testing.T) {
	const n, size = 30, 400_000
	const latency, bandwidth = 50 * time.Millisecond, 20e6
	bytes := float64(size)
	load := latency + time.Duration(bytes/bandwidth*1e9)
	dir := t.TempDir()
	names, _ := fill(t, dir, n, size)
	for _, work := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
		share := slowshare.Mount(t, dir, slowshare.Options{Latency: latency, Bandwidth: bandwidth})
		far := make([]string, n)
		for i, name := range names {
			far[i] = filepath.Join(share.Dir, filepath.Base(name))
		}
		f := open(t, far, files.Options{})
		start := time.Now()
		for i := range far {
			_, release, err := f.Hold(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(work) // stands for somebody's work
			release()
		}
		wall := time.Since(start)
		limit := max(n*load, n*work)*105/100 + load
		t.Logf("work of %v: %v, at most %v; %+v", work, wall, limit, f.Stats())
		if wall > limit {
			t.Errorf("work of %v: took %v, want at most %v", work, wall, limit)
		}
	}
}
