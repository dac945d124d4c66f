// clock.go tells the time cheaply: an old reading is enough for most questions.

package larder

import (
	"math"
	"sync/atomic"
	"time"
)

// clock counts nanoseconds since the engine was made. Reading it costs as much as two hits, so a
// hit compares its deadline with the last reading and a margin: only within the margin of its
// deadline does an entry need the time of day. The wheel takes a reading at least half a margin
// before any deadline, so nothing expired is served unless the scheduler is later than that.
type clock struct {
	base   time.Time
	last   atomic.Int64
	margin int64
}

// leastMargin is what a busy scheduler may be late: it takes a running goroutine off its processor
// after ten milliseconds.
const leastMargin = 20 * time.Millisecond

// start begins to count. Lifetimes of about usual spend a 64th at most near their deadline.
func (c *clock) start(usual time.Duration) {
	c.base = time.Now()
	c.margin = int64(min(max(usual/64, leastMargin), time.Second))
}

// now reads the time and keeps it.
func (c *clock) now() int64 {
	t := int64(time.Since(c.base))
	for last := c.last.Load(); t > last; last = c.last.Load() {
		if c.last.CompareAndSwap(last, t) {
			break
		}
	}
	return t
}

// after returns the time d from now, never where that is beyond counting.
func (c *clock) after(d time.Duration) int64 {
	t := c.now()
	if int64(d) > math.MaxInt64-t {
		return never
	}
	return t + int64(d)
}

// passed tells whether deadline has come.
func (c *clock) passed(deadline int64) bool {
	return deadline-c.last.Load() <= c.margin && deadline <= c.now()
}

// wall returns the time of day of a time of the clock; never is the zero time.
func (c *clock) wall(t int64) time.Time {
	if t == never {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(t - c.now())).Round(0)
}

// of returns the time of the clock at a time of day; the zero time is never.
func (c *clock) of(t time.Time) int64 {
	if t.IsZero() {
		return never
	}
	return max(c.now()+int64(time.Until(t)), always)
}
