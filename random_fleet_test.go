// random_fleet_test.go tests nodes that share a store by chance, against a model of the truth.

package larder_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-go/larder"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

const propKeys = 6

type pkey struct{ N int } // its name does not tell the key

type world struct {
	t       *testing.T
	mu      sync.Mutex
	truth   [propKeys]int
	since   [propKeys][]time.Time // when version i was superseded
	floor   [3][propKeys]int      // by node
	change  chan bool             // a mutex would stop the bubble's clock
	bad     int
	history []string
	faults  bool
	limit   time.Duration
}

func absentAt(v int) bool { return v%7 == 3 }

func (w *world) bump(k int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since[k] = append(w.since[k], time.Now())
	w.truth[k]++
	return w.truth[k]
}

func (w *world) note(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, fmt.Sprintf("%v ", time.Now().Format("04:05.000"))+fmt.Sprintf(format, a...))
}

func (w *world) raise(node, k, v int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.floor[node][k] = max(w.floor[node][k], v)
}

func (w *world) floors(node int) [propKeys]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.floor[node]
}

func (w *world) judge(node, k, floor int, begun time.Time, v int, err error, op string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.history = append(w.history, fmt.Sprintf("%v node %d %s(%d) begun %v: %d, %v (floor %d, truth %d)", time.Now().Format("04:05.000"), node, op, k, begun.Format("04:05.000"), v, err, floor, w.truth[k]))
	bad := ""
	switch {
	case errors.Is(err, larder.ErrNotFound):
		ok := false
		for i := floor; i <= w.truth[k]; i++ {
			ok = ok || absentAt(i)
		}
		if !ok {
			bad = "not found, though it was never absent since"
		}
	case err != nil:
	case v < floor || v > w.truth[k]:
		bad = fmt.Sprintf("version %d, last invalidated %d, truth %d", v, floor, w.truth[k])
	case v < w.truth[k] && begun.Sub(w.since[k][v]) > w.limit:
		bad = fmt.Sprintf("version %d was superseded %v ago", v, begun.Sub(w.since[k][v]))
	}
	if bad != "" {
		if w.bad++; w.bad < 3 {
			w.t.Errorf("node %d %s(%d): %s", node, op, k, bad)
		}
	}
}

func runWorld(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := &world{t: t, faults: seed%3 == 1, change: make(chan bool, 1)}
		m := store.NewMemory(store.MemoryOptions{})
		pick := func(d ...time.Duration) time.Duration { return d[r.IntN(len(d))] }
		o := larder.Options[pkey, int]{Name: "p", TTL: pick(larder.Forever, time.Minute, time.Second*5),
			Stale: pick(0, 0, 10*time.Second), StaleOnError: pick(0, 0, 20*time.Second), NegativeTTL: pick(0, 3*time.Second),
			Idle: pick(0, 0, 4*time.Second), RetryAfter: pick(0, 100*time.Millisecond), MaxEntries: []int{2, 4, 100}[r.IntN(3)]}
		if o.TTL != larder.Forever {
			o.RefreshAhead = []float64{0, 0.5}[r.IntN(2)]
			o.Early = []float64{0, 1}[r.IntN(2)]
			o.Jitter = []float64{0, .3}[r.IntN(2)]
		}
		w.limit = larder.Forever
		if o.TTL != larder.Forever {
			w.limit = time.Duration(1.3*float64(o.TTL)) + max(o.Stale, o.StaleOnError) + 5*time.Second
		}
		var rmu sync.Mutex
		rnd := func(n int) int { rmu.Lock(); defer rmu.Unlock(); return r.IntN(n) }
		step := []int{1, 50}[seed/3%2] // so that more begins and ends in one instant
		upTo := func(n int) time.Duration { return time.Duration(rnd(n)/step*step) * time.Millisecond }
		origin := func(k pkey) (int, error) {
			w.mu.Lock()
			v := w.truth[k.N]
			w.mu.Unlock()
			w.note("load %d begins: %d", k.N, v)
			time.Sleep(upTo(2000))
			w.note("load %d ends: %d", k.N, v)
			if rnd(10) == 0 {
				return 0, errOrigin
			}
			if absentAt(v) {
				return 0, larder.ErrNotFound
			}
			return v, nil
		}
		switch r.IntN(3) {
		case 0:
			o.Load = func(_ context.Context, k pkey) (int, error) { return origin(k) }
		case 1:
			o.Reload = func(_ context.Context, k pkey, old larder.Entry[int]) (larder.Entry[int], error) {
				v, err := origin(k)
				return larder.Entry[int]{Value: v, Tags: []string{"t" + strconv.Itoa(k.N%2)}}, err
			}
		case 2:
			o.LoadMany = func(_ context.Context, ks []pkey) (map[pkey]int, error) {
				got := map[pkey]int{}
				for _, k := range ks {
					if v, err := origin(k); err == nil {
						got[k] = v
					} else if err == errOrigin {
						return nil, err
					}
				}
				return got, nil
			}
			w.limit = min(w.limit, larder.Forever-time.Hour) + 20*time.Second
		}
		tagged := o.Reload != nil
		var nodes [3]*larder.Cache[pkey, int]
		var faults [3]*storetest.Faulty
		for i := range nodes {
			faults[i] = storetest.NewFaulty(m.Share())
			faults[i].Where(func(op, _ string) bool { return op != "Lease.Release" }) // a lease in memory has no time limit
			o.Store = faults[i]
			nodes[i] = larder.New(o)
		}
		end := time.Now().Add(2 * time.Minute)
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				for time.Now().Before(end) {
					time.Sleep(upTo(1500))
					n, k := rnd(3), rnd(propKeys)
					c, key := nodes[n], pkey{k}
					ctx := context.Background()
					if rnd(3) == 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, time.Duration(rnd(3000))*time.Millisecond)
						defer cancel()
					}
					f, begun := w.floors(n), time.Now()
					switch op := rnd(20); {
					case op < 7:
						v, err := c.Get(ctx, key)
						w.judge(n, k, f[k], begun, v, err, "Get")
					case op < 9:
						ks := []pkey{{k}, {rnd(propKeys)}, {rnd(propKeys)}}
						got, _ := c.GetMany(ctx, ks)
						for k, v := range got {
							w.judge(n, k.N, f[k.N], begun, v, nil, "GetMany")
						}
					case op < 11:
						if v, ok := c.Lookup(key); ok {
							w.judge(n, k, f[k], begun, v, nil, "Lookup")
						}
					case op == 11:
						v, err := c.Refresh(ctx, key)
						w.judge(n, k, f[k], begun, v, err, "Refresh")
					case op == 12 && w.faults:
						switch rnd(4) {
						case 0:
							faults[n].Fail(errors.New("down"))
						case 1:
							faults[n].Hang()
						case 2:
							faults[n].Delay(time.Duration(rnd(400)) * time.Millisecond)
						}
						w.note("node %d fault", n)
						time.Sleep(time.Duration(rnd(5000)) * time.Millisecond)
						faults[n].Heal()
					case op == 12:
						w.bump(k) // nobody is told
					default:
						w.change <- true
						ctx := context.Background()
						v := w.bump(k)
						kinds := []string{"Delete", "Delete", "Set", "Set", "Compute", "Remove", "Clear", "Prefix", "DeleteTag"}
						kind := kinds[rnd(len(kinds))]
						if kind == "DeleteTag" && !tagged || absentAt(v) {
							kind = "Delete"
						}
						w.note("node %d %s(%d) to %d begins", n, kind, k, v)
						var err error
						all := false
						switch kind {
						case "Delete":
							err = c.Delete(ctx, key)
						case "Set":
							e := larder.Entry[int]{Value: v}
							if tagged {
								e.Tags = []string{"t" + strconv.Itoa(k%2)}
							}
							err = c.SetEntry(ctx, key, e)
						case "Compute":
							if tagged { // it has no tags
								err = c.Delete(ctx, key)
								break
							}
							_, _, err = c.Compute(ctx, key, func(int, bool) (int, larder.Op) { return v, larder.Put })
						case "Remove":
							err = c.Delete(ctx, key)
						case "Clear":
							all = true
							err = c.Clear(ctx)
						case "Prefix":
							all = true
							err = c.DeletePrefix(ctx, "")
						case "DeleteTag":
							err = c.DeleteTag(ctx, "t"+strconv.Itoa(k%2))
						}
						w.note("node %d %s(%d) to %d: %v", n, kind, k, v, err)
						for i := range nodes {
							if err == nil || i == n {
								w.raise(i, k, v)
								if all {
									for k := range propKeys {
										w.raise(i, k, 0)
									}
								}
							}
						}
						<-w.change
					}
				}
			})
		}
		wg.Wait()
		for i, c := range nodes {
			faults[i].Heal()
			c.Close()
			c.Close()
		}
		time.Sleep(time.Minute)
		if t.Failed() { // nobody returns from a bubble that has
			t.Log(strings.Join(w.history, "\n"))
		}
	})
}

// TestRandomOperationsOnThreeNodes has twelve goroutines get and change six keys on three nodes, with
// options, loads, failures of the store and of the origin drawn by chance. Nobody is served what is
// older than the last change that has ended, or than its times allow. SEED begins with another seed.
func TestRandomOperationsOnThreeNodes(t *testing.T) {
	from, _ := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	for seed := from; seed < from+60; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { runWorld(t, seed) })
	}
}
