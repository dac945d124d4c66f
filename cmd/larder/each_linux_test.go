// each_linux_test.go works through a slow share, and is interrupted.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/slowshare"
)

// scans makes n files of size bytes on a share of 50 ms and 20 MB/s.
func scans(t *testing.T, n, size int) (share *slowshare.Share, names []string) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		name := fmt.Sprintf("%d.raw", i)
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	share = slowshare.Mount(t, dir, slowshare.Options{Latency: 50 * time.Millisecond, Bandwidth: 20e6})
	for i := range names {
		names[i] = filepath.Join(share.Dir, names[i])
	}
	return share, names
}

// attempts is how often a time is measured that must not be longer than something: a busy machine
// can only make it longer, so one good attempt is enough.
const attempts = 3

func TestEachTakesAsLongAsTheSlowerOfShareAndWork(t *testing.T) {
	for _, pause := range []time.Duration{20 * time.Millisecond, 150 * time.Millisecond} {
		for n := 1; ; n++ {
			took, limit := eachOnAShare(t, pause)
			if took <= limit {
				break
			}
			if n == attempts {
				t.Errorf("work of %v: took %v, want at most %v", pause, took, limit)
				break
			}
		}
	}
}

// eachOnAShare works for a pause each on what comes over a share, and returns how long that took
// and how long it may take: as long as the slower of both, and the first load. By how much a busy
// machine holds up the commands, which only sleep, it may hold up larder, too.
func eachOnAShare(t *testing.T, pause time.Duration) (took, limit time.Duration) {
	t.Helper()
	const n, size = 30, 600_000
	const load = 50*time.Millisecond + size*time.Second/20_000_000
	s := newScene(t)
	_, names := scans(t, n, size)
	sleep := fmt.Sprint("exec sleep ", pause.Seconds())
	args := append(append([]string{"each"}, names...), "--", "sh", "-c", sleep)
	var said string
	took = timed(t, func() {
		cmd, out := s.start(args...)
		s.ends(cmd, 0)
		said = strings.TrimSpace(out.String())
	})
	work := workIn(t, said)
	limit = max(n*load, work)*105/100 + load + max(work-n*pause, 0)
	t.Logf("share %v, work %v: %v, at most %v; %s", n*load, work, took, limit, said)
	return took, limit
}

// workIn returns how long the commands took, as larder says at the end: a busy machine makes them
// take longer than they would alone.
func workIn(t *testing.T, said string) time.Duration {
	t.Helper()
	_, rest, _ := strings.Cut(said, "; work ")
	text, _, _ := strings.Cut(rest, ",")
	work, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("no work in %q: %v", said, err)
	}
	return work
}

func timed(t *testing.T, do func()) time.Duration {
	t.Helper()
	start := time.Now()
	do()
	return time.Since(start)
}

func TestEachLeavesNothingWhenItIsInterruptedOrKilled(t *testing.T) {
	s := newScene(t)
	_, names := scans(t, 5, 100_000)
	copies := filepath.Join(s.dir, "cache", "each")
	args := append([]string{"each"}, append(names, "--", "sh", "-c", job)...)
	cmd, out := s.start(args...)
	s.awaitJob()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	s.open("on")
	s.ends(cmd, 128+int(syscall.SIGINT))
	if left, err := os.ReadDir(copies); err != nil || len(left) != 0 {
		t.Errorf("after SIGINT there is %v, %v; %s", left, err, out)
	}
	cmd, _ = s.start(args...)
	s.awaitJob()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	s.open("on") // the job outlives larder
	_ = cmd.Wait()
	cmd, out = s.start("each", names[0], "--", "true")
	s.ends(cmd, 0)
	if left, err := os.ReadDir(copies); err != nil || len(left) != 0 {
		t.Errorf("after SIGKILL and another run there is %v, %v; %s", left, err, out)
	}
}
