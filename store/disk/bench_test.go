//go:build unix

// bench_test.go measures single calls; docs/bench.md compares them with others.

package disk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/disk"
)

// filled opens a folder with n values of size bytes.
func filled(b *testing.B, n, size int) *disk.Store {
	b.Helper()
	s, err := disk.Open(b.TempDir(), disk.Options{MaxBytes: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	item := store.Item{Value: filler(1, size), GoneAfter: time.Now().Add(time.Hour)}
	for i := range n {
		if err := s.Set(b.Context(), key(i), item); err != nil {
			b.Fatal(err)
		}
	}
	return s
}

func BenchmarkSet(b *testing.B) {
	for _, size := range []int{100, 4096, 102400, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := filled(b, 0, 0)
			item := store.Item{Value: filler(1, size), GoneAfter: time.Now().Add(time.Hour)}
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				if err := s.Set(b.Context(), key(i), item); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, size := range []int{100, 4096, 102400, 1 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			const n = 200
			s := filled(b, n, size)
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				if _, err := s.Get(b.Context(), key(i*7919%n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMiss(b *testing.B) {
	s := filled(b, 100_000, 20)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Get(b.Context(), key(1_000_000+i)); err == nil {
			b.Fatal("found")
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	s := filled(b, 200_000, 20)
	for b.Loop() {
		again, err := disk.Open(s.Dir(), disk.Options{})
		if err != nil {
			b.Fatal(err)
		}
		again.Close()
	}
}
