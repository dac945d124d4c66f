// circuit_internal_test.go plays through when an origin is left alone.

package proxy

import (
	"testing"
	"time"
)

func TestCircuitOpensAndProbes(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(seconds int) time.Time { return now.Add(time.Duration(seconds) * time.Second) }
	var c circuit
	step := func(second int, want bool, r result) {
		t.Helper()
		_, ok := c.enter(at(second))
		if ok != want {
			t.Errorf("at %ds: let in %v, want %v", second, ok, want)
		}
		if ok {
			c.leave(at(second), r)
		}
	}
	step(0, true, failed)
	step(0, true, failed)
	step(0, true, worked) // which takes the failures back
	step(0, true, failed)
	step(0, true, failed)
	step(0, true, unclear)
	step(0, true, failed) // the third in a row
	step(0, false, failed)
	step(1, true, failed)  // a probe; the next rest is 2 s
	step(2, false, failed) //
	step(3, true, unclear) // a client that left: the next one probes
	step(3, true, failed)  // 4 s
	step(6, false, failed)
	step(7, true, worked)
	step(7, true, worked)
	if c.opened.Load() {
		t.Error("still open after a success")
	}
}

func TestCircuitLetsOneProbeThroughAtATime(t *testing.T) {
	now := time.Unix(1e9, 0)
	var c circuit
	c.trip(now, time.Second)
	later := now.Add(time.Minute)
	if _, ok := c.enter(later); !ok {
		t.Fatal("no probe")
	}
	if wait, ok := c.enter(later); ok || (&OpenError{After: wait}).RetryAfter() < time.Second {
		t.Errorf("a second probe, or Retry-After of %v", wait)
	}
	c.leave(later, worked)
	if _, ok := c.enter(later); !ok {
		t.Error("closed to requests after a success")
	}
}

func TestRestBetweenProbesIsBounded(t *testing.T) {
	now := time.Unix(1e9, 0)
	var c circuit
	for range 20 {
		c.enter(now)
		c.leave(now, failed)
		now = now.Add(circuitMaxRest)
	}
	if c.rest != circuitMaxRest {
		t.Errorf("rests %v, want %v", c.rest, circuitMaxRest)
	}
}
