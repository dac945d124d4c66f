//go:build linux

package slowshare_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/slowshare"
)

func TestAShareTakesItsTime(t *testing.T) {
	dir := t.TempDir()
	want := bytes.Repeat([]byte("slow"), 1<<18)
	if err := os.WriteFile(filepath.Join(dir, "a"), want, 0o644); err != nil {
		t.Fatal(err)
	}
	s := slowshare.Mount(t, dir, slowshare.Options{Latency: 50 * time.Millisecond, Bandwidth: 10 << 20})
	start := time.Now()
	got, err := os.ReadFile(filepath.Join(s.Dir, "a"))
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
	if d := time.Since(start); d < 150*time.Millisecond {
		t.Errorf("a megabyte took %v, want 50 ms and 100 ms", d)
	}
	if s.Opens.Load() != 1 || s.Bytes.Load() != 1<<20 {
		t.Errorf("%d opens, %d bytes", s.Opens.Load(), s.Bytes.Load())
	}
}
