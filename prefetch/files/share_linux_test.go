// share_linux_test.go works through a slow share.

package files_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/slowshare"
	"github.com/larder-go/larder/prefetch/files"
)

// A busy machine can only make it take longer, so one good attempt of three is enough.
func TestWorkOnASlowShareTakesAsLongAsTheSlowerOfBoth(t *testing.T) {
	const attempts = 3
	for _, work := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond} {
		for n := 1; ; n++ {
			took, limit := workOnAShare(t, work)
			if took <= limit {
				break
			}
			if n == attempts {
				t.Errorf("work of %v: took %v, want at most %v", work, took, limit)
				break
			}
		}
	}
}

// workOnAShare works on what comes over a share, and returns how long that took and how long it
// may take. Where it took longer than the share promises, so may the share: it is a program on this
// machine.
func workOnAShare(t *testing.T, work time.Duration) (took, limit time.Duration) {
	t.Helper()
	const n = 30
	far, load := mountFar(t, n)
	f := open(t, far, files.Options{})
	var worked time.Duration
	start := time.Now()
	for i := range far {
		_, release, err := f.Hold(t.Context(), i)
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		time.Sleep(work) // stands for somebody's work
		worked += time.Since(begun)
		release()
	}
	took = time.Since(start)
	share := n * load
	if took > atMost(share, worked, load) {
		share = max(share, alone(t, n))
	}
	limit = atMost(share, worked, load)
	t.Logf("work of %v: %v, at most %v; %+v", work, took, limit, f.Stats())
	return took, limit
}

// mountFar makes n files on a slow share, and returns how long the share says one takes.
func mountFar(t *testing.T, n int) (far []string, load time.Duration) {
	t.Helper()
	const size, latency, bandwidth = 400_000, 50 * time.Millisecond, 20_000_000
	dir := t.TempDir()
	names, _ := fill(t, dir, n, size)
	share := slowshare.Mount(t, dir, slowshare.Options{Latency: latency, Bandwidth: bandwidth})
	for _, name := range names {
		far = append(far, filepath.Join(share.Dir, filepath.Base(name)))
	}
	return far, latency + size*time.Second/bandwidth
}

// atMost is how long work on what comes over a share may take: as long as the slower of both, and
// the first load.
func atMost(share, work, load time.Duration) time.Duration {
	return max(share, work)*105/100 + load
}

// alone returns how long n files take one after the other, without any work.
func alone(t *testing.T, n int) time.Duration {
	t.Helper()
	far, _ := mountFar(t, n)
	start := time.Now()
	for _, name := range far {
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start)
}
