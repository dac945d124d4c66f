// circuit.go leaves an origin alone that fails, so that nobody waits for it.

package proxy

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	circuitFailures = 3                // in a row, until the circuit opens
	circuitRest     = time.Second      // until the first probe
	circuitMaxRest  = 30 * time.Second // between later ones, each of which doubles it
)

// OpenError is returned for a request to an origin that is left alone since it failed.
type OpenError struct {
	Origin string
	After  time.Duration // until it is tried again
}

// Error says which origin it is.
func (e *OpenError) Error() string {
	return fmt.Sprintf("proxy: origin %s: left alone after it failed", e.Origin)
}

// StatusCode returns 503, which is what clients are told where nothing stale can be served.
func (e *OpenError) StatusCode() int { return 503 }

// RetryAfter returns the time until the origin is tried again, at least a second.
func (e *OpenError) RetryAfter() time.Duration { return max(e.After, time.Second) }

// circuit says whether an origin may be asked. Open, it lets one request at a time through to
// probe, and that only after a rest. It is safe for concurrent use.
type circuit struct {
	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // of the rest; zero while the circuit is closed
	rest     time.Duration
	probing  bool

	opened atomic.Bool // !until.IsZero(), for whoever asks without a request
}

// result is how a request to an origin ended.
type result uint8

const (
	unclear result = iota // the client left, or its body was bad
	worked
	failed
)

// enter reports whether a request may be made; if not, how long the circuit rests. Who may make a
// request must call leave when it ends.
func (c *circuit) enter(now time.Time) (wait time.Duration, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.until.IsZero():
		return 0, true
	case c.probing || now.Before(c.until):
		return c.until.Sub(now), false
	}
	c.probing = true
	return 0, true
}

// leave notes how a request ended.
func (c *circuit) leave(now time.Time, r result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch r {
	case worked:
		c.failures, c.until, c.rest, c.probing = 0, time.Time{}, 0, false
		c.opened.Store(false)
	case unclear: // those that entered before it opened may be among these
		c.probing = false
	case failed:
		c.failed(now)
	}
}

func (c *circuit) failed(now time.Time) {
	c.failures++
	if c.failures < circuitFailures || !c.until.IsZero() && !c.probing {
		return
	}
	c.rest = min(max(circuitRest, 2*c.rest), circuitMaxRest)
	c.until, c.probing = now.Add(c.rest), false
	c.opened.Store(true)
}

// trip opens the circuit for a rest, or prolongs it: a check found that the origin is down.
func (c *circuit) trip(now time.Time, rest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = max(c.failures, circuitFailures)
	c.rest = max(circuitRest, c.rest)
	c.until = now.Add(max(rest+rest/2, c.rest)) // until after the next check
	c.opened.Store(true)
}

// wait returns how long the origin is left alone, 0 if it is not.
func (c *circuit) wait(now time.Time) time.Duration {
	if !c.opened.Load() {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(time.Second, c.until.Sub(now))
}
