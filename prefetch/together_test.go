// together_test.go lets many goroutines do as they like.

package prefetch_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-go/larder/prefetch"
)

// TestManyGoroutinesDoAsTheyLike runs everything at once, in real time.
func TestManyGoroutinesDoAsTheyLike(t *testing.T) {
	var mu sync.Mutex
	loading := map[int]int{}
	var in, out atomic.Int64
	p := prefetch.New(func(ctx context.Context, key int) (string, error) {
		mu.Lock()
		if loading[key]++; loading[key] > 1 {
			t.Errorf("%d is loaded twice at once", key)
		}
		mu.Unlock()
		defer func() {
			mu.Lock()
			loading[key]--
			mu.Unlock()
		}()
		runtime.Gosched()
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if key%31 == 7 {
			return "", errors.New("broken page")
		}
		in.Add(1)
		return value(key), nil
	}, prefetch.Range(0, 300), pages{
		MaxWeight: 40, Keep: 5,
		OnEvict: func(int, string) { out.Add(1) },
		OnReady: func(key int, v string) {
			if v != value(key) {
				t.Errorf("ready: %d, %q", key, v)
			}
		},
	})
	var all sync.WaitGroup
	for n := range 32 {
		all.Go(func() { roam(t, p, rand.New(rand.NewPCG(uint64(n), 1)), 400) })
	}
	all.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if in.Load() != out.Load() {
		t.Errorf("%d values came, %d left", in.Load(), out.Load())
	}
	if s := p.Stats(); s.InFlight != 0 || s.Items != 0 || s.Weight != 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// roam does many things in no order.

func roam(t *testing.T, p *prefetch.Prefetcher[int, string], r *rand.Rand, times int) {
	at := r.IntN(300)
	for range times {
		at = (at + 1) % 300
		switch r.IntN(12) {
		case 0:
			at = r.IntN(300)
		case 1:
			p.Forget(at)
		case 2:
			p.Show(at, min(at+9, 299))
		case 3:
			p.Hide()
		case 4:
			p.Expect(row(at, 1, 5)...)
		case 5:
			p.Peek(at)
		case 6:
			if v, release, err := p.Hold(t.Context(), at); err == nil && v != value(at) {
				t.Errorf("Hold(%d) = %q", at, v)
				release()
			} else {
				release()
			}
		case 7:
			soon := time.Duration(r.IntN(50)) * time.Microsecond
			ctx, cancel := context.WithTimeout(t.Context(), soon)
			p.Get(ctx, at)
			cancel()
		default:
			if v, err := p.Get(t.Context(), at); err == nil && v != value(at) {
				t.Errorf("Get(%d) = %q", at, v)
			}
		}
		if w := p.Stats().Weight; w > 40 {
			t.Errorf("weight %d, want at most 40", w)
		}
	}
}

func BenchmarkGetOfTheSameItem(b *testing.B) {
	p := prefetch.New(func(_ context.Context, key int) (int, error) { return key, nil },
		prefetch.Range(0, 1000), prefetch.Options[int, int]{})
	defer p.Close()
	b.ReportAllocs()
	for b.Loop() {
		p.Get(b.Context(), 5)
	}
}

func BenchmarkGetOfKeptItems(b *testing.B) {
	p := prefetch.New(func(_ context.Context, key int) (int, error) { return key, nil },
		prefetch.Range(0, 12), prefetch.Options[int, int]{})
	defer p.Close()
	walk := swing(0, 11, 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Get(b.Context(), walk[i%len(walk)])
	}
}
