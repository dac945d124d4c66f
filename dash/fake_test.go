// fake_test.go is a part that says what a test wants.

package dash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-go/larder/dash"
	"github.com/larder-go/larder/stats"
)

// plain is a part that reports numbers and nothing else.
type plain struct {
	mu   sync.Mutex // guards the field below
	shot stats.Snapshot
}

func (p *plain) Snapshot() stats.Snapshot {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shot
	s.Samples = append([]stats.Sample(nil), s.Samples...)
	return s
}

// count adds to one of the series, and makes it if there is none.
func (p *plain) count(m stats.Metric, label string, n float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, s := range p.shot.Samples {
		if s.Metric == m.Name && s.Label == label {
			p.shot.Samples[i].Value += n
			return
		}
	}
	p.shot.Samples = append(p.shot.Samples, m.Of(label, n))
}

// rich is a part that knows its curve and its keys, too.
type rich struct {
	plain
	curve *stats.Curve
	keys  *keys
}

func (r *rich) Curve() (stats.Curve, bool) {
	if r.curve == nil {
		return stats.Curve{}, false
	}
	return *r.curve, true
}

func (r *rich) Inspector() stats.Inspector { return r.keys }

// keys are those of a part: what is known of them, and what was done.
type keys struct {
	top    map[stats.Order][]stats.Key
	slow   []stats.Load
	lives  map[string]stats.Life
	err    error          // of Refresh and Delete
	stream []stats.Access // what Record hands out at once, before it waits

	mu    sync.Mutex // guards the field below
	calls []string
}

func (k *keys) called(call string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.calls = append(k.calls, call)
}

func (k *keys) heard() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.calls...)
}

func (k *keys) Top(by stats.Order, n int) []stats.Key {
	k.called("top " + string(by))
	return k.top[by][:min(n, len(k.top[by]))]
}

func (k *keys) Slowest() []stats.Load { return k.slow }

func (k *keys) Find(_ context.Context, key string) (stats.Life, error) {
	if l, ok := k.lives[key]; ok {
		return l, nil
	}
	if strings.HasPrefix(key, "!") {
		return stats.Life{}, fmt.Errorf("%w: %q is no number", stats.ErrNoKey, key)
	}
	return stats.Life{Key: key, State: "absent", Missed: stats.MissNew,
		Why: []string{"Nobody has asked for it since the cache was made."}}, nil
}

func (k *keys) Refresh(_ context.Context, key string) error {
	k.called("refresh " + key)
	return k.err
}

func (k *keys) Delete(_ context.Context, key string) error {
	k.called("delete " + key)
	return k.err
}

func (k *keys) Record(ctx context.Context, _ int, yield func(stats.Access)) error {
	k.called("record")
	for _, a := range k.stream {
		yield(a)
	}
	<-ctx.Done()
	return ctx.Err()
}

// durations returns how long n loads took that are spread around a median.
func durations(n int, median time.Duration) *stats.Histogram {
	var d stats.Durations
	for i := range n {
		x := math.Sin(float64(i)*12.9898) * 43758.5453
		u := x - math.Floor(x)
		d.Add(time.Duration(float64(median) * math.Exp(1.1*(u+math.Abs(math.Sin(float64(i)))-1.13))))
	}
	return d.Histogram()
}

// users is a cache that is worth having: it says all that a part can say.
func users() *rich {
	r := &rich{}
	r.shot = stats.Snapshot{Name: "users", Kind: stats.Memory, Policy: "S3-FIFO",
		Durations: durations(3000, 18*time.Millisecond), Samples: []stats.Sample{
			stats.Requests.Of(stats.Hit, 481_209), stats.Requests.Of(stats.Stale, 2_110),
			stats.Requests.Of(stats.Negative, 940), stats.Requests.Of(stats.Coalesced, 412),
			stats.Requests.Of(stats.Miss, 31_874), stats.Requests.Of(stats.Failed, 17),
			stats.Misses.Of(stats.MissNew, 5_480), stats.Misses.Of(stats.MissEvicted, 3_011),
			stats.Misses.Of(stats.MissExpired, 22_655), stats.Misses.Of(stats.MissDeleted, 690),
			stats.Misses.Of(stats.MissFailed, 38),
			stats.Loads.Of(stats.LoadOK, 30_902), stats.Loads.Of(stats.LoadAbsent, 955),
			stats.Loads.Of(stats.LoadError, 17),
			stats.Departures.Of(stats.LeftRoom, 8_890), stats.Departures.Of(stats.LeftExpired, 14_022),
			stats.Departures.Of(stats.LeftReplaced, 2_210), stats.Departures.Of(stats.LeftDeleted, 690),
			stats.Departures.Of(stats.LeftTag, 0), stats.Departures.Of(stats.LeftCleared, 0),
			stats.Entries.Is(9_812), stats.Weight.Is(9_812), stats.WeightLimit.Is(10_000),
			stats.TimeSaved.Is(9571.204518), stats.StaleUsed.Is(2_110), stats.Refreshes.Is(1_873),
		}}
	r.curve = curveOf("S3-FIFO", 10_000, 0.934, 0.30)
	r.keys = usersKeys()
	return r
}

func curveOf(policy string, size int64, ratio, fall float64) *stats.Curve {
	c := &stats.Curve{Policy: policy, Size: size, Ratio: ratio, Seen: 48_210, Rate: 0.05}
	for _, f := range []float64{0.25, 0.35, 0.5, 0.71, 1, 1.41, 2, 2.83, 4, 5.66, 8} {
		r := 0.985 - (0.985-ratio)*math.Exp(-fall*2.4*math.Log2(f))
		c.Points = append(c.Points, stats.Point{Size: int64(float64(size) * f), Factor: f, Ratio: r})
	}
	for i, p := range []string{"W-TinyLFU", "S3-FIFO", "SIEVE", "ARC", "LRU", "FIFO"} {
		point := stats.PolicyPoint{Policy: p, Ratio: ratio + 0.009 - float64(i*i)*0.009}
		c.Policies = append(c.Policies, point)
	}
	return c
}

func usersKeys() *keys {
	k := &keys{top: map[stats.Order][]stats.Key{}, lives: map[string]stats.Life{}}
	for i := range 12 {
		name := fmt.Sprintf("user:%d", 4217*(i+3)%9973)
		n := uint64(38_000 / (i + 1))
		k.top[stats.ByHits] = append(k.top[stats.ByHits],
			stats.Key{Key: name, Hits: n, Share: float64(n) / 484_259})
		slow := fmt.Sprintf("user:%d", 7919*(i+2)%9973)
		k.top[stats.ByLost] = append(k.top[stats.ByLost], stats.Key{Key: slow,
			Lost: time.Duration(9400/(i+1)) * time.Millisecond, Loads: uint64(120 / (i + 1))})
		k.top[stats.ByWeight] = append(k.top[stats.ByWeight],
			stats.Key{Key: name, Weight: int64(9000 / (i + 1))})
		at := time.Now().Add(-time.Duration(i*7) * time.Minute)
		k.slow = append(k.slow, stats.Load{Key: slow, At: at,
			Took: time.Duration(2300/(i+1)) * time.Millisecond})
	}
	k.slow[2].Err = "context deadline exceeded"
	k.lives["user:2678"] = life("user:2678")
	return k
}

func life(key string) stats.Life {
	in := true
	l := stats.Life{Key: key, State: "fresh", Age: 41 * time.Second, TTL: 19 * time.Second,
		Leaves: 79 * time.Second, Took: 21 * time.Millisecond, Hits: 12_667, Loads: 96, Weight: 1,
		Tags: []string{"team:7", "eu"}, InStore: &in, StoreTTL: 9 * time.Minute}
	l.LastLoad = &stats.Load{Key: key, Took: l.Took, At: time.Now().Add(-l.Age)}
	l.Why = l.Sentences()
	return l
}

// handler returns a handler for some parts that ends with the test.
func handler(t testing.TB, o dash.Options, parts ...stats.Source) *dash.Handler {
	h := dash.New(stats.NewSet(parts...), o)
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// from makes a request as a browser on this machine does.
func from(method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:6060"
	return r
}

// do returns the answer to a request.
func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// get returns what JSON an address answers with.
func get[T any](t testing.TB, h http.Handler, target string) (v T) {
	t.Helper()
	w := do(h, from("GET", target))
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d, %v: %s", target, w.Code, err, w.Body)
	}
	return v
}

var errOrigin = errors.New("the origin\nis down")
