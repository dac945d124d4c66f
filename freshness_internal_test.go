package larder

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

const second = int64(time.Second)

// TestRules is the table of docs/freshness.md.
func TestRules(t *testing.T) {
	all := freshness{stale: 10 * time.Second, onError: 30 * time.Second, ahead: 0.8}
	value := func() *life { return &life{fresh: 100 * second, due: 80 * second, gone: 130 * second} }
	strict, distrusted := value(), value()
	strict.strict = true
	distrusted.distrusted.Store(true)
	forever := &life{fresh: never, due: never, gone: never}
	short := freshness{stale: 30 * time.Second, onError: 10 * time.Second}
	for _, c := range []struct {
		name  string
		rules freshness
		life  *life
		at    int64
		want  state
	}{
		{"fresh", all, value(), 79, fresh},
		{"due", all, value(), 80, due},
		{"due to the end", all, value(), 99, due},
		{"stale", all, value(), 100, stale},
		{"stale to the end", all, value(), 109, stale},
		{"kept", all, value(), 110, kept},
		{"kept to the end", all, value(), 129, kept},
		{"gone", all, value(), 130, gone},
		{"not served stale while nothing is heard", all, strict, 100, kept},
		{"distrusted while fresh", all, distrusted, 10, kept},
		{"distrusted and gone", all, distrusted, 130, gone},
		{"distrusted without StaleOnError", freshness{}, distrusted, 10, gone},
		{"for ever", all, forever, 1e9, fresh},
		{"stale for longer than for errors", short, value(), 115, stale},
		{"and then gone", short, value(), 130, gone},
		{"no rules", freshness{}, &life{fresh: second, due: never, gone: second}, 1, gone},
	} {
		if got := c.rules.at(c.life, c.at*second, 1); got != c.want {
			t.Errorf("%s: at %d s: %d, want %d", c.name, c.at, got, c.want)
		}
		look := c.rules.look(c.life)
		if c.at*second < look && c.want != fresh {
			t.Errorf("%s: a hit at %d s would not look, until %d", c.name, c.at, look)
		}
	}
}

// TestEarlyRefreshesMatchTheFormula draws many times at each distance from the end: the share that is
// due is e^-(rest/(took*beta)).
func TestEarlyRefreshesMatchTheFormula(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, beta := range []float64{0.5, 1, 2} {
		rules := freshness{early: beta}
		l := &life{fresh: 100 * second, due: never, gone: 100 * second, took: 2 * time.Second}
		for _, rest := range []float64{0.1, 0.5, 1, 2, 5, 10, 20} {
			now := l.fresh - int64(rest*1e9)
			const draws = 200_000
			n := 0
			for range draws {
				if rules.at(l, now, 1-random.Float64()) == due {
					n++
				}
			}
			got, want := float64(n)/draws, math.Exp(-rest/(2*beta))
			if math.Abs(got-want) > 5*math.Sqrt(want*(1-want)/draws)+1e-5 {
				t.Errorf("beta %v, %v s before the end: %.5f are due, want %.5f", beta, rest, got, want)
			}
		}
	}
}

func TestJitterSpreadsExpiries(t *testing.T) {
	const n, windows = 10_000, 100
	random := rand.New(rand.NewPCG(3, 4))
	var in [windows]int
	for range n {
		ttl := jittered(time.Hour, 0.1, random.Float64())
		share := (float64(ttl)/float64(time.Hour) - 0.9) / 0.2
		if share < 0 || share >= 1 {
			t.Fatalf("%v is not within a tenth of an hour", ttl)
		}
		in[int(share*windows)]++
	}
	for i, got := range in {
		if got > n*3/100 {
			t.Errorf("%d of %d expire in window %d of %d", got, n, i, windows)
		}
	}
	if jittered(Forever, 0.5, 0) != Forever || jittered(math.MaxInt64-1, 0.5, 1) >= Forever {
		t.Error("a jittered TTL overflows, or is no longer for ever")
	}
}
