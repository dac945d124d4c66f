// bench_test.go measures what it costs to get an artifact that is kept.

package artifact_test

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"testing"

	"github.com/larder-go/larder/artifact"
	"github.com/larder-go/larder/store/disk"
)

// filled is a cache with an artifact of size bytes.
func filled(b *testing.B, size int) *artifact.Cache {
	s, err := disk.Open(filepath.Join(b.TempDir(), "cache"), disk.Options{MaxBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	c := artifact.New(artifact.Options{Store: s, TempDir: b.TempDir()})
	r, err := c.Open(b.Context(), artifact.Key{}, func(_ context.Context, w io.Writer) error {
		_, err := w.Write(bytes.Repeat([]byte("x"), size))
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	r.Close()
	b.SetBytes(int64(size))
	b.ReportAllocs()
	return c
}

func benchmarkOpen(b *testing.B, size int) {
	c := filled(b, size)
	for b.Loop() {
		r, err := c.Open(b.Context(), artifact.Key{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
}

func BenchmarkOpen1KiB(b *testing.B)  { benchmarkOpen(b, 1<<10) }
func BenchmarkOpen64MiB(b *testing.B) { benchmarkOpen(b, 64<<20) }

func BenchmarkPath64MiB(b *testing.B) {
	c := filled(b, 64<<20)
	for b.Loop() {
		_, release, err := c.Path(b.Context(), artifact.Key{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		release()
	}
}
