// share_test.go simulates slow shares and viewers, in the virtual time of testing/synctest.

package prefetch_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder/prefetch"
)

// share is a slow origin: each load waits for the latency, then its pieces take turns on one wire.
type share struct {
	latency time.Duration
	piece   time.Duration // of which a load has ten
	slots   chan struct{} // how many loads it serves at once; nil means any number
	wire    chan struct{}

	mu      sync.Mutex // guards the fields below
	loads   map[int]int
	running map[int]int
	pieces  int
	twice   int // loads that ran while another of the same key did
	most    int // loads at once
}

func newShare(latency, transfer time.Duration) *share {
	return &share{
		latency: latency, piece: transfer / 10,
		wire: make(chan struct{}, 1), loads: map[int]int{}, running: map[int]int{},
	}
}

// narrow lets a share serve only so many loads at once.
func (s *share) narrow(slots int) *share {
	s.slots = make(chan struct{}, slots)
	return s
}

func (s *share) begin(key int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.loads[key]++
	if s.running[key]++; s.running[key] > 1 {
		s.twice++
	}
	now := 0
	for _, n := range s.running {
		now += n
	}
	s.most = max(s.most, now)
}

func (s *share) end(key int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[key]--
}

// load is the loader.
func (s *share) load(ctx context.Context, key int) (string, error) {
	s.begin(key)
	defer s.end(key)
	if s.slots != nil {
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	if err := rest(ctx, s.latency); err != nil {
		return "", err
	}
	for range 10 {
		if err := s.send(ctx, s.size(key)); err != nil {
			return "", err
		}
	}
	return value(key), nil
}

// size returns how long one piece of a key takes: they differ by half.
func (s *share) size(key int) time.Duration {
	return s.piece * time.Duration(75+key*37%51) / 100
}

// send moves one piece over the wire.
func (s *share) send(ctx context.Context, piece time.Duration) error {
	select {
	case s.wire <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.wire }()
	s.mu.Lock()
	s.pieces++
	s.mu.Unlock()
	return rest(ctx, piece)
}

func (s *share) loaded(key int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loads[key]
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func value(key int) string { return fmt.Sprint("value of ", key) }

// getter is what a viewer uses.
type getter interface {
	Get(ctx context.Context, key int) (string, error)
	Close() error
}

// bare is a getter that keeps what it was asked for, and loads nothing ahead.
func bare(s *share, room int64) getter {
	return prefetch.New(s.load, prefetch.Slice[int](nil), prefetch.Options[int, string]{
		MaxWeight: room,
	})
}

// ours is a getter that is told nothing but the order of the keys.
func ours(s *share, room int64) getter {
	return prefetch.New(s.load, prefetch.Range(0, 1000), prefetch.Options[int, string]{
		MaxWeight: room,
	})
}

// clairvoyant knows the walk. It loads the next missing item, two or more at a time, and drops
// what is needed latest.
type clairvoyant struct {
	share *share
	walk  []int
	room  int
	width int

	mu      sync.Mutex // guards the fields below
	at      int
	have    map[int]chan struct{} // closed when it is there
	running int
	ended   sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

func seer(s *share, walk []int, room, width int) *clairvoyant {
	c := &clairvoyant{share: s, walk: walk, room: room, width: width, at: -1,
		have: map[int]chan struct{}{}}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

func (c *clairvoyant) Get(_ context.Context, key int) (string, error) {
	c.mu.Lock()
	c.at++
	if c.walk[c.at] != key {
		panic("the viewer left the walk")
	}
	c.pump()
	there := c.have[key]
	c.mu.Unlock()
	<-there
	return value(key), nil
}

func (c *clairvoyant) Close() error {
	c.stop()
	c.ended.Wait()
	return nil
}

// next returns when a key is needed next.
func (c *clairvoyant) next(key int) int {
	for i := c.at; i < len(c.walk); i++ {
		if c.walk[i] == key {
			return i
		}
	}
	return len(c.walk)
}

// pump begins what is worth it. mu must be held.
func (c *clairvoyant) pump() {
	for i := c.at; i < len(c.walk) && c.running < c.width; i++ {
		key := c.walk[i]
		if c.have[key] != nil {
			continue
		}
		if len(c.have) >= c.room && !c.drop(i) {
			return
		}
		there := make(chan struct{})
		c.have[key] = there
		c.running++
		c.ended.Go(func() {
			_, err := c.share.load(c.ctx, key)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.running--
			if err == nil {
				close(there)
				c.pump()
			}
		})
	}
}

// drop drops what is needed latest, if that is later than the walk's step i.
func (c *clairvoyant) drop(i int) bool {
	victim, latest := -1, i
	for key, there := range c.have {
		select {
		case <-there:
			if n := c.next(key); n > latest {
				victim, latest = key, n
			}
		default:
		}
	}
	delete(c.have, victim)
	return victim >= 0
}

// view walks, thinking for so long at each item, and returns how long it had to wait in all.
func view(t *testing.T, g getter, walk []int, think time.Duration) (stall time.Duration) {
	for _, key := range walk {
		began := time.Now()
		got, err := g.Get(t.Context(), key)
		if err != nil || got != value(key) {
			t.Errorf("Get(%d) = %q, %v", key, got, err)
		}
		stall += time.Since(began)
		time.Sleep(think)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	return stall
}

// clairvoyantStall returns the stall of a clairvoyant at the width that is best for it.
func clairvoyantStall(
	t *testing.T, make func() *share, walk []int, think time.Duration,
) time.Duration {
	best := time.Duration(math.MaxInt64)
	for width := 1; width <= 8; width++ {
		best = min(best, view(t, seer(make(), walk, 24, width), walk, think))
	}
	return best
}

// row returns count positions from one on.
func row(from, step, count int) (out []int) {
	for i := range count {
		out = append(out, from+i*step)
	}
	return out
}

// weave returns what somebody asks for who compares neighbours.
func weave(count int) (out []int) {
	for i := range count {
		out = append(out, i, i+1, i)
	}
	return out
}

// swing returns a walk to and fro between two ends.
func swing(low, high, times int) (out []int) {
	for range times {
		out = append(out, row(low, 1, high-low)...)
		out = append(out, row(high, -1, high-low)...)
	}
	return out
}

// leaps returns runs from places far apart.
func leaps(runs, length int) (out []int) {
	for i := range runs {
		out = append(out, row(20+i*389%900, 1, length)...)
	}
	return out
}

// TestStallStaysNearTheClairvoyants holds the stall of several walks over several shares against
// that of one who knows the walk, and that of one who loads nothing ahead. The limits are what was
// measured, and some: they are there to notice when it gets worse.
func TestStallStaysNearTheClairvoyants(t *testing.T) {
	shares := []struct {
		name  string
		make  func() *share
		alone time.Duration // one load
	}{
		{"wire", func() *share { return newShare(30*ms, 500*ms).narrow(4) }, 530 * ms},
		{"far", func() *share { return newShare(180*ms, 60*ms).narrow(8) }, 240 * ms},
	}
	walks := []struct {
		name  string
		walk  []int
		limit float64 // times the clairvoyant's stall, summed over shares and paces
	}{
		{"forward", row(0, 1, 100), 1.1},
		{"backward", row(999, -1, 100), 1.1},
		{"every third", row(1, 3, 80), 1.2},
		{"neighbours", weave(50), 1.4},
		{"to and fro, fits", swing(0, 12, 4), 1.25},
		{"to and fro, does not fit", swing(0, 40, 3), 1.2},
		{"leaps", leaps(12, 8), 1.7}, // the clairvoyant knows where to
	}
	for _, w := range walks {
		var none, best, stall time.Duration
		for _, s := range shares {
			for _, pace := range []float64{0.6, 1.5} {
				think := time.Duration(pace * float64(s.alone))
				synctest.Test(t, func(t *testing.T) {
					none += view(t, bare(s.make(), 24), w.walk, think)
					best += clairvoyantStall(t, s.make, w.walk, think)
					stall += view(t, ours(s.make(), 24), w.walk, think)
				})
			}
		}
		ratio := float64(stall) / float64(best)
		t.Logf("%-25s none %6.1fs clairvoyant %5.1fs ours %5.1fs = %.2f times", w.name,
			none.Seconds(), best.Seconds(), stall.Seconds(), ratio)
		if ratio > w.limit {
			t.Errorf("%s: stalls %.2f times as long as the clairvoyant, want at most %.2f",
				w.name, ratio, w.limit)
		}
	}
}

func TestRandomAsksAreNotSlowedDown(t *testing.T) {
	walk := make([]int, 60)
	for i := range walk {
		walk[i] = (i*i*53 + i*331) % 997
	}
	synctest.Test(t, func(t *testing.T) {
		s, s2 := newShare(30*ms, 500*ms), newShare(30*ms, 500*ms)
		none := view(t, bare(s, 24), walk, 300*ms)
		stall := view(t, ours(s2, 24), walk, 300*ms)
		if stall > none*102/100 {
			t.Errorf("stalls %v, without prefetch %v", stall, none)
		}
		if s2.pieces > s.pieces*115/100 {
			t.Errorf("moved %d pieces, without prefetch %d", s2.pieces, s.pieces)
		}
	})
}

// TestHeldKeyShowsSomething holds the arrow key: each item is given 33 ms, then the next is asked
// for.
func TestHeldKeyShowsSomething(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShare(180*ms, 60*ms)
		p := ours(s, 24)
		defer p.Close()
		shown, at := 0, 0
		var stopped time.Duration
		for range 5 {
			for range 40 {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 33*ms)
				if _, err := p.Get(ctx, at); err == nil {
					shown++
				} else if !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
				cancel()
				time.Sleep(33*ms - time.Since(began))
				at++
			}
			began := time.Now()
			if _, err := p.Get(t.Context(), at); err != nil {
				t.Error(err)
			}
			stopped += time.Since(began)
			at++
			time.Sleep(500 * ms)
		}
		if shown < 40 {
			t.Errorf("%d of 200 were shown, want at least 40", shown)
		}
		if stopped > 5*300*ms {
			t.Errorf("waited %v for the five at which it stopped, want at most 1.5s", stopped)
		}
	})
}
