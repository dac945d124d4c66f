// bench_test.go measures 64 goroutines on one server. Compare with go-redis: see bench/.

package redis_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/redis"
)

const benchKeys = 10_000

func benchKey(i int) string { return fmt.Sprintf("key:%06d", i%benchKeys) }

// benchStore holds benchKeys items of 1 KiB.
func benchStore(b *testing.B) *redis.Store {
	s := open(b, redis.Options{Addrs: []string{servers.Redis(b).Addr}})
	items := map[string]store.Item{}
	for i := range benchKeys {
		items[benchKey(i)] = benchItem()
	}
	if err := s.SetMany(context.Background(), items); err != nil {
		b.Fatal(err)
	}
	return s
}

func benchItem() store.Item {
	return store.Item{Value: make([]byte, 1024), GoneAfter: time.Now().Add(time.Hour)}
}

// parallel runs op on 64 goroutines.
func parallel(b *testing.B, op func(i int) error) {
	var next atomic.Int64
	b.SetParallelism((64 + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := op(int(next.Add(1))); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "op/s")
}

// watched also measures a store that watches: its connections are tracked.
func watched(b *testing.B, run func(b *testing.B, s *redis.Store)) {
	b.Run("alone", func(b *testing.B) { run(b, benchStore(b)) })
	b.Run("watching", func(b *testing.B) {
		s := benchStore(b)
		linked := make(chan struct{}, 1)
		s.Watch(func(e store.Event) {
			if e.Kind == store.Linked {
				linked <- struct{}{}
			}
		})
		<-linked
		run(b, s)
	})
}

func BenchmarkGet(b *testing.B) {
	watched(b, func(b *testing.B, s *redis.Store) {
		parallel(b, func(i int) error {
			_, err := s.Get(context.Background(), benchKey(i))
			return err
		})
	})
}

func BenchmarkSet(b *testing.B) {
	watched(b, func(b *testing.B, s *redis.Store) {
		item := benchItem()
		parallel(b, func(i int) error { return s.Set(context.Background(), benchKey(i), item) })
	})
}

func BenchmarkSetTagged(b *testing.B) {
	s, item := benchStore(b), benchItem()
	item.Tags = []string{"a", "b"}
	parallel(b, func(i int) error { return s.Set(context.Background(), benchKey(i), item) })
}

func BenchmarkGetTagged(b *testing.B) {
	s, item := benchStore(b), benchItem()
	item.Tags = []string{"a", "b"}
	if err := s.Set(context.Background(), "tagged", item); err != nil {
		b.Fatal(err)
	}
	parallel(b, func(int) error {
		_, err := s.Get(context.Background(), "tagged")
		return err
	})
}

func BenchmarkLease(b *testing.B) {
	s, item := benchStore(b), benchItem()
	parallel(b, func(i int) error {
		l, err := s.TryLease(context.Background(), fmt.Sprint("leased", i))
		if err != nil {
			return err
		}
		return l.Set(context.Background(), item)
	})
}

func BenchmarkGetMany100(b *testing.B) {
	s := benchStore(b)
	parallel(b, func(i int) error {
		keys := make([]string, 100)
		for j := range keys {
			keys[j] = benchKey(i*100 + j)
		}
		items, err := s.GetMany(context.Background(), keys)
		if err == nil && len(items) != 100 {
			err = fmt.Errorf("%d items", len(items))
		}
		return err
	})
}
