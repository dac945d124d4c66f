// ring_test.go spreads keys over rings of all sizes, and takes their nodes away.

package store_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"text/tabwriter"
	"time"

	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/store/storetest"
)

// ringOf returns a ring of n nodes node0, node1, … whose stores are made by open.
// calm does not take a busy machine for a slow node.
var calm = store.RingOptions{Timeout: time.Minute}

func ringOf(n int, o store.RingOptions, open func(i int) store.Store) *store.Ring {
	var nodes []store.Node
	for i := range n {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("node", i), Store: open(i)})
	}
	return store.NewRing(nodes, o)
}

// nothing is a store for rings that are only asked for names.
type nothing struct{ store.Store }

func (nothing) Close() error { return nil }

func emptyRing(weights ...float64) *store.Ring {
	var nodes []store.Node
	for i, w := range weights {
		nodes = append(nodes, store.Node{Name: fmt.Sprint("node", i), Store: nothing{}, Weight: w})
	}
	return store.NewRing(nodes, store.RingOptions{})
}

// ones are n equal weights, rising are 1, 2, 3, 4, 1, 2, …
func ones(n int) []float64 { return slices.Repeat([]float64{1}, n) }

func rising(n int) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = float64(i%4 + 1)
	}
	return w
}

func TestRing(t *testing.T) {
	for _, n := range []int{1, 3} {
		storetest.Run(t, func(*testing.T) store.Store {
			return ringOf(n, calm, func(int) store.Store { return newHub() })
		})
	}
	storetest.Run(t, func(t *testing.T) store.Store {
		return ringOf(3, calm, func(int) store.Store { return plain{newMemory(t)} })
	})
	storetest.RunShared(t, func(*testing.T) (a, b store.Store) {
		hubs := []*hub{newHub(), newHub(), newHub()}
		open := func(i int) store.Store { return keep{hubs[i]} }
		return ringOf(3, calm, open), ringOf(3, calm, open)
	})
}

// TestRingNeverMovesKeys holds what all versions must agree upon: who has which key.
func TestRingNeverMovesKeys(t *testing.T) {
	r := emptyRing(1, 2, 3)
	defer r.Close()
	keys := []string{"", "ä", "a longer key, with spaces", "\x00"}
	for i := range 40 {
		keys = append(keys, fmt.Sprint("user:", i))
	}
	got := ""
	for _, key := range keys {
		got += strings.TrimPrefix(r.Node(key), "node")
	}
	if want := "21222211222022222020112121221010211210201221"; got != want {
		t.Errorf("nodes %s, want %s", got, want)
	}
}

func TestRingIgnoresTheOrderOfItsNodes(t *testing.T) {
	var nodes []store.Node
	for i := range 20 {
		nodes = append(nodes, store.Node{
			Name: fmt.Sprint("n", i), Store: nothing{}, Weight: float64(i + 1),
		})
	}
	a := store.NewRing(nodes, store.RingOptions{})
	slices.Reverse(nodes)
	b := store.NewRing(nodes[:10], store.RingOptions{})
	for _, n := range nodes[10:] {
		if err := b.Add(n); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10_000 {
		if key := fmt.Sprint(i); a.Node(key) != b.Node(key) {
			t.Fatalf("%s is on %s or %s", key, a.Node(key), b.Node(key))
		}
	}
}

// placesOf returns the nodes of n keys.
func placesOf(r *store.Ring, n int) []string {
	places := make([]string, n)
	for i := range places {
		places[i] = r.Node(fmt.Sprint("key:", i))
	}
	return places
}

// moved returns the share of the keys whose places differ, and how many of those neither come from
// node nor go to it.
func moved(before, after []string, node string) (share float64, others int) {
	n := 0
	for i := range before {
		if before[i] == after[i] {
			continue
		}
		n++
		if before[i] != node && after[i] != node {
			others++
		}
	}
	return float64(n) / float64(len(before)), others
}

func TestRingMovesNoMoreKeysThanItMust(t *testing.T) {
	const keys = 20_000
	for _, n := range []int{3, 4, 7, 10, 30, 100} {
		for _, weight := range []float64{1, 3} {
			r := emptyRing(ones(n)...)
			before := placesOf(r, keys)
			if err := r.Add(store.Node{Name: "new", Store: nothing{}, Weight: weight}); err != nil {
				t.Fatal(err)
			}
			with := placesOf(r, keys)
			share, others := moved(before, with, "new")
			want := weight / (float64(n) + weight)
			if math.Abs(share-want) > 0.02 || share > 1/float64(n)+0.05 && weight == 1 {
				t.Errorf("%d nodes, one joins: %.3f of the keys moved, want %.3f", n, share, want)
			}
			if others != 0 {
				t.Errorf("%d nodes, one joins: %d keys moved between the others", n, others)
			}
			if err := r.Remove("new"); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(placesOf(r, keys), before) {
				t.Errorf("%d nodes: after join and leave keys are elsewhere", n)
			}
			if err := r.Remove("node1"); err != nil {
				t.Fatal(err)
			}
			share, others = moved(before, placesOf(r, keys), "node1")
			if share > 1/float64(n)+0.05 || others != 0 {
				t.Errorf("%d nodes, one leaves: %.3f moved, %d between others", n, share, others)
			}
		}
	}
}

// spread is how evenly a load lies on nodes, by their shares: 1 is what a node should have.
type spread struct{ max, deviation float64 }

func spreadOf(load map[string]float64, weights []float64) (s spread) {
	total, weight := 0.0, 0.0
	for i, w := range weights {
		total, weight = total+load[fmt.Sprint("node", i)], weight+w
	}
	for i, w := range weights {
		share := load[fmt.Sprint("node", i)] / (total * w / weight)
		s.max = max(s.max, share)
		s.deviation += (share - 1) * (share - 1) / float64(len(weights))
	}
	s.deviation = math.Sqrt(s.deviation)
	return s
}

// uniformLoad asks once for each key.
func uniformLoad(r *store.Ring, keys int) map[string]float64 {
	load := map[string]float64{}
	for i := range keys {
		load[r.Node(fmt.Sprint("key:", i))]++
	}
	return load
}

// zipfLoad asks for key i in proportion to 1/i.
func zipfLoad(r *store.Ring, keys int) map[string]float64 {
	load := map[string]float64{}
	for i := range keys {
		load[r.Node(fmt.Sprint("key:", i))] += 1 / float64(i+1)
	}
	return load
}

// TestRingTable checks how evenly keys are spread, and with -v prints the table of docs/ring.md,
// from ten times as many keys.
func TestRingTable(t *testing.T) {
	perNode := 100
	if testing.Verbose() {
		perNode = 1000
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "| nodes\t| equal: max, σ\t| weights 1-4: max, σ\t| Zipf: max"+
		"\t| hottest key alone\t| moved at join\t| 1/(n+1)\t|")
	fmt.Fprintln(w, "|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, n := range []int{3, 10, 100, 1000} {
		keys := n * perNode
		even, uneven := emptyRing(ones(n)...), emptyRing(rising(n)...)
		a := spreadOf(uniformLoad(even, keys), ones(n))
		b := spreadOf(uniformLoad(uneven, keys), rising(n))
		z := spreadOf(zipfLoad(even, keys), ones(n))
		before := placesOf(even, keys)
		if err := even.Add(store.Node{Name: "new", Store: nothing{}}); err != nil {
			t.Fatal(err)
		}
		share, _ := moved(before, placesOf(even, keys), "new")
		fmt.Fprintf(w, "| %d\t| %.3f, %.3f\t| %.3f, %.3f\t| %.1f\t| %.1f\t", n, a.max, a.deviation,
			b.max, b.deviation, z.max, hottest(n, keys))
		fmt.Fprintf(w, "| %.2f %%\t| %.2f %%\t|\n", 100*share, 100/float64(n+1))
		// Keys are balls in bins: of m a node σ is 1/√m, and few nodes are five of those away. The
		// lightest nodes of the weighted ring have 1/2.5 of the mean.
		chance := 1 / math.Sqrt(float64(perNode))
		if a.max > 1+6*chance || a.deviation > 1.6*chance || b.max > 1+9*chance {
			t.Errorf("%d nodes, %d keys a node: %+v, weighted %+v", n, perNode, a, b)
		}
	}
	w.Flush()
	t.Logf("%d keys a node\n%s", perNode, text.String())
}

// hottest is the load of a node that had nothing but the first of Zipf's keys.
func hottest(nodes, keys int) float64 {
	sum := 0.0
	for i := range keys {
		sum += 1 / float64(i+1)
	}
	return float64(nodes) / sum
}

func TestRingPanicsOnSlips(t *testing.T) {
	ok := store.Node{Name: "a", Store: nothing{}}
	for name, nodes := range map[string][]store.Node{
		"twice":      {ok, ok},
		"no name":    {{Store: nothing{}}},
		"no store":   {{Name: "a"}},
		"negative":   {{Name: "a", Store: nothing{}, Weight: -1}},
		"NaN":        {{Name: "a", Store: nothing{}, Weight: math.NaN()}},
		"infinite":   {{Name: "a", Store: nothing{}, Weight: math.Inf(1)}},
		"too little": {{Name: "a", Store: nothing{}, Weight: 5e-324}},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: NewRing did not panic", name)
				}
			}()
			store.NewRing(nodes, store.RingOptions{})
		}()
	}
}

func TestRingWithoutNodesHasNothing(t *testing.T) {
	r := store.NewRing(nil, store.RingOptions{})
	defer r.Close()
	_, err := r.Get(t.Context(), "k")
	if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Get: %v", err)
	}
	if err := r.Set(t.Context(), "k", store.Item{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Set: %v", err)
	}
	if items, err := r.GetMany(t.Context(), []string{"k"}); len(items) != 0 || err != nil {
		t.Errorf("GetMany: %v, %v", items, err)
	}
	if r.Node("k") != "" {
		t.Errorf("Node = %q", r.Node("k"))
	}
}

// faultyRing is a ring of nodes that can be broken.
func faultyRing(n int, o store.RingOptions) (*store.Ring, []*storetest.Faulty, []*hub) {
	faults, hubs := make([]*storetest.Faulty, n), make([]*hub, n)
	return ringOf(n, o, func(i int) store.Store {
		hubs[i] = newHub()
		faults[i] = storetest.NewFaulty(hubs[i])
		return faults[i]
	}), faults, hubs
}

// fill sets n keys and returns them by node.
func fill(t *testing.T, r *store.Ring, n int) (all []string, byNode map[string][]string) {
	t.Helper()
	byNode = map[string][]string{}
	for i := range n {
		key := fmt.Sprint("key:", i)
		set(t, r, key, []byte(key))
		all = append(all, key)
		byNode[r.Node(key)] = append(byNode[r.Node(key)], key)
	}
	return all, byNode
}

func wantMiss(t *testing.T, r *store.Ring, key string) {
	t.Helper()
	_, err := r.Get(context.Background(), key)
	if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Get(%q), node down: %v, want ErrNotFound and ErrUnavailable", key, err)
	}
}

func wantHit(t *testing.T, s store.Store, key string) {
	t.Helper()
	if item, err := s.Get(context.Background(), key); err != nil || string(item.Value) != key {
		t.Fatalf("Get(%q) = %q, %v", key, item.Value, err)
	}
}

func TestRingLivesOnWithoutANode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, faults, _ := faultyRing(3, store.RingOptions{})
		defer r.Close()
		all, byNode := fill(t, r, 300)
		faults[1].Hang()
		dead := byNode["node1"]
		for range guardFailures { // each waits for the timeout, then nobody does
			wantMiss(t, r, dead[0])
		}
		start := time.Now()
		for _, key := range dead {
			wantMiss(t, r, key)
			if err := r.Set(t.Context(), key, store.Item{}); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("Set: %v", err)
			}
			if err := r.Delete(t.Context(), key); !errors.Is(err, store.ErrUnavailable) {
				t.Fatalf("Delete: %v", err)
			}
		}
		for _, node := range []string{"node0", "node2"} {
			for _, key := range byNode[node] {
				wantHit(t, r, key)
			}
		}
		items, err := r.GetMany(t.Context(), all)
		if err != nil || len(items) != len(all)-len(dead) {
			t.Errorf("GetMany: %d of %d items, %v", len(items), len(all)-len(dead), err)
		}
		wantDownEverywhere(t, r, dead[0])
		if took := time.Since(start); took != 0 {
			t.Errorf("a node that is down cost %v", took)
		}
		want := uint64(guardFailures + 2*len(dead) + 1) // Get and GetMany, one Open
		if n := r.Stats()[1].Missed; n != want {
			t.Errorf("Missed = %d, want %d", n, want)
		}
		faults[1].Heal()
		time.Sleep(guardCooldown)
		wantMiss(t, r, dead[0]) // starts the probe
		synctest.Wait()
		for _, key := range all {
			wantHit(t, r, key)
		}
	})
}

// wantDownEverywhere tries what concerns all nodes, or the node of key otherwise than by Get.
func wantDownEverywhere(t *testing.T, r *store.Ring, key string) {
	t.Helper()
	ctx := t.Context()
	listed, last := 0, error(nil)
	for _, err := range r.List(ctx, "") {
		if err == nil {
			listed++
		}
		last = err
	}
	if listed == 0 || !errors.Is(last, store.ErrUnavailable) {
		t.Errorf("List: %d keys, then %v", listed, last)
	}
	_, leaseErr := r.TryLease(ctx, key)
	_, createErr := r.Create(ctx, key, store.Item{})
	for name, err := range map[string]error{
		"DeleteTag":  r.DeleteTag(ctx, "t"),
		"SetMany":    r.SetMany(ctx, map[string]store.Item{key: {}}),
		"TryLease":   leaseErr,
		"AwaitLease": r.AwaitLease(ctx, key),
		"Create":     createErr,
	} {
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
	if _, _, err := r.Open(ctx, key); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Open: %v, want ErrNotFound", err)
	}
}

func TestRingTellsOfItsNodes(t *testing.T) {
	var heard []string
	f := storetest.NewFaulty(newMemory(t))
	r := store.NewRing([]store.Node{{Name: "a", Store: f}}, store.RingOptions{
		Failures: 1, Cooldown: time.Hour,
		OnChange: func(node string, s store.GuardState) {
			heard = append(heard, node+" "+s.String())
		},
	})
	defer r.Close()
	f.Fail(errors.New("out of order"))
	wantMiss(t, r, "k")
	if fmt.Sprint(heard) != "[a open]" || r.Stats()[0].Guard.State != store.GuardOpen {
		t.Errorf("heard %v, stats %+v", heard, r.Stats())
	}
}

func TestRingPassesOnWhatIsNotTheNodesFault(t *testing.T) {
	r, faults, _ := faultyRing(1, calm)
	defer r.Close()
	for _, want := range []error{store.ErrRefused, store.ErrTooLarge} {
		faults[0].Fail(want)
		_, err := r.Get(t.Context(), "k")
		for _, err := range []error{err, r.Set(t.Context(), "k", store.Item{})} {
			if !errors.Is(err, want) || errors.Is(err, store.ErrUnavailable) {
				t.Errorf("got %v, want %v", err, want)
			}
		}
	}
	if _, err := r.GetMany(t.Context(), []string{"k"}); !errors.Is(err, store.ErrTooLarge) {
		t.Errorf("GetMany: %v", err)
	}
}

func TestRingNodesJoinAndLeaveWhileItRuns(t *testing.T) {
	r, _, _ := faultyRing(3, calm)
	defer r.Close()
	ctx, stop := context.WithCancel(t.Context())
	failed := make(chan error, 4)
	for g := range 4 {
		go func() { failed <- useUntil(ctx, r, g) }()
	}
	for i := range 200 {
		name := fmt.Sprint("more", i%5)
		if err := r.Add(store.Node{Name: name, Store: newHub()}); err != nil {
			t.Fatal(err)
		}
		if i%5 > 1 {
			name = fmt.Sprint("more", i%5-1)
		}
		if err := errors.Join(r.Remove(name), r.Remove(fmt.Sprint("more", i%5))); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	for range 4 {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	if err := r.Add(store.Node{Name: "node0", Store: nothing{}}); err == nil {
		t.Error("a name could be added twice")
	}
}

// useUntil sets and gets until ctx ends. Values name their keys.
func useUntil(ctx context.Context, r *store.Ring, seed int) error {
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	for ctx.Err() == nil {
		key := fmt.Sprint(random.IntN(100))
		err := r.Set(context.Background(), key, store.Item{Value: []byte(key)})
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		item, err := r.Get(context.Background(), key)
		if err == nil && string(item.Value) != key {
			return fmt.Errorf("Get(%q) = %q", key, item.Value)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

func TestRingLeaseIsVoidWhenItsKeyMoves(t *testing.T) {
	r, _, _ := faultyRing(2, calm)
	defer r.Close()
	l, err := r.TryLease(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	err = r.Add(store.Node{Name: "heavy", Store: newHub(), Weight: 1e9})
	if err != nil || r.Node("k") != "heavy" {
		t.Fatalf("the key did not move: %v", err)
	}
	if err := l.Set(t.Context(), store.Item{}); !errors.Is(err, store.ErrVoid) {
		t.Errorf("Set by the lease: %v, want ErrVoid", err)
	}
}

func TestRingWatchIsLinkedWhenAllNodesAre(t *testing.T) {
	r, _, hubs := faultyRing(2, calm)
	var heard []string
	stop := r.Watch(func(e store.Event) { heard = append(heard, e.Kind.String()+e.Key+e.Tag) })
	want := func(when, events string) {
		t.Helper()
		if got := strings.Join(heard, " "); got != events {
			t.Errorf("%s: heard %q, want %q", when, got, events)
		}
		heard = nil
	}
	want("at first", "linked")
	hubs[0].link(store.Lost)
	want("a node is lost", "lost")
	hubs[1].link(store.Lost)
	hubs[0].link(store.Linked)
	want("the other is lost, the first is back", "")
	hubs[1].link(store.Linked)
	want("both are back", "linked")
	set(t, r, "k", nil)
	want("a key was set", "changedk")
	if err := r.DeleteTag(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	want("a tag was deleted on both", "tag deletedt tag deletedt")
	third := newHub()
	if err := r.Add(store.Node{Name: "third", Store: third, Weight: 1e9}); err != nil {
		t.Fatal(err)
	}
	want("a node has joined", "lost linked cleared")
	set(t, r, "k", nil)
	want("a key of the new node was set", "changedk")
	third.link(store.Lost)
	if err := r.Remove("third"); err != nil {
		t.Fatal(err)
	}
	want("it has left, lost", "lost cleared linked")
	third.link(store.Linked)
	want("who has left is not heard", "")
	stop()
	stop()
	set(t, r, "k", nil)
	want("nobody listens", "")
	r.Watch(func(e store.Event) { heard = append(heard, e.Kind.String()) })
	want("another listens", "linked")
	r.Close()
	_ = hubs[0].tell(store.Event{Kind: store.Cleared}, nil)
	want("after Close", "")
}

func BenchmarkRingNode(b *testing.B) {
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("tenant:%d:user:%d", i%7, i)
	}
	for _, n := range []int{3, 10, 100, 1000} {
		for name, weights := range map[string][]float64{"equal": ones(n), "weighted": rising(n)} {
			r := emptyRing(weights...)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					_ = r.Node(keys[i%len(keys)])
				}
			})
		}
	}
}

func ExampleRing() {
	ctx := context.Background()
	r := store.NewRing([]store.Node{
		{Name: "a", Store: store.NewMemory(store.MemoryOptions{})},
		{Name: "b", Store: store.NewMemory(store.MemoryOptions{})},
		{Name: "c", Store: store.NewMemory(store.MemoryOptions{}), Weight: 2},
	}, store.RingOptions{})
	defer r.Close()
	_ = r.Set(ctx, "user:1", store.Item{Value: []byte("Ada")})
	item, err := r.Get(ctx, "user:1")
	fmt.Println(string(item.Value), err)
	// Output: Ada <nil>
}
