// measure.go notes what a function is asked and how long it takes, and judges whether a cache would
// help.

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/larder-go/larder/sim"
	"github.com/larder-go/larder/trace"
)

// hit is what finding a value in a cache takes at most, with all that belongs to it. A function
// that is not clearly slower needs no cache.
const hit = time.Microsecond

// measured is a function that is watched. It is not safe for concurrent use.
type measured struct {
	name  string
	f     func(context.Context, int) (string, error)
	least time.Duration // that a call took
	keys  bytes.Buffer  // of all calls, one a line: a trace
}

func measure(name string, f func(context.Context, int) (string, error)) *measured {
	return &measured{name: name, f: f, least: math.MaxInt64}
}

// call calls the function, and notes that. How long it takes is what the fastest call took: others
// may have had to wait for the processor, which no cache can help.
func (m *measured) call(ctx context.Context, arg int) (string, error) {
	fmt.Fprintln(&m.keys, arg)
	begun := time.Now()
	answer, err := m.f(ctx, arg)
	m.least = min(m.least, time.Since(begun))
	return answer, err
}

// verdict says whether a cache would help.
type verdict struct {
	hits  int           // of all calls
	saved time.Duration // by all of them
	why   string        // it would not; "" if it would
}

// String returns the verdict in words.
func (v verdict) String() string {
	if v.why != "" {
		return "useless, " + v.why
	}
	return fmt.Sprintf("worth it, saves some %.0f s", v.saved.Seconds())
}

// judge replays what was asked through a cache that may hold so many entries.
func (m *measured) judge(ctx context.Context, entries uint64) (verdict, error) {
	t, err := trace.Read(&m.keys, trace.Options{Format: "text"})
	if err != nil {
		return verdict{}, err
	}
	curve, err := sim.LRUCurve(ctx, t)
	if err != nil {
		return verdict{}, err
	}
	ratio := curve.At(entries)
	v := verdict{hits: int(ratio*float64(len(t.Keys)) + 0.5)}
	v.saved = time.Duration(v.hits) * (m.least - hit)
	switch {
	case m.least < 10*hit:
		v.why = "as a call takes no longer than looking it up"
	case ratio < 0.05:
		v.why = "as hardly anything is asked for twice"
	}
	return v, nil
}
