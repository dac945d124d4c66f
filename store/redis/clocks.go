// clocks.go tells what the server's clock showed when something happened here.

package redis

import (
	"sync"
	"time"
)

// clocks knows how far the servers' clocks are ahead of ours, from below. The server read its clock
// before its answer came: so it is ahead by at least that reading less the time at which the answer
// was there. A load is thus never taken for later than it was. It may be taken for earlier, by the
// time an answer takes: an item whose load began just after its tag was deleted by another process
// may be taken for older, and be gone. That is the safe side.
//
// Several readings are combined, the best of the last seconds counts. It makes a process that
// deletes a tag and then loads anew never doubt its own order of events.
//
// A server's clock that is set back lets a load that was under way at this moment pass for younger
// than it is. Nothing else depends on it.
type clocks struct {
	mu   sync.Mutex // guards the fields below
	now  map[string]reading
	then map[string]reading // of the period before
	turn time.Time          // when now began
}

// reading says that a clock was ahead by at least ahead, at a time here.
type reading struct {
	ahead int64 // microseconds
	at    time.Time
}

const (
	clockPeriod = 2 * time.Second
	clockMost   = 4096  // readings in a period
	clockDrift  = 5_000 // a clock runs wrong by one part in so many at most (200 ppm)
	clockGrain  = 2     // microseconds that are lost by rounding
)

// observe takes in that a server's clock showed now microseconds, and we had it at received.
func (c *clocks) observe(name string, now int64, received time.Time) {
	r := reading{now - received.UnixMicro(), received}
	c.mu.Lock()
	defer c.mu.Unlock()
	if received.Sub(c.turn) > clockPeriod || len(c.now) >= clockMost {
		c.then, c.now, c.turn = c.now, map[string]reading{}, received
	}
	if old, ok := c.now[name]; !ok || old.aheadAt(received) < r.ahead {
		c.now[name] = r
	}
}

// at returns what the clock showed at least at the time t, in its microseconds. It must have been
// observed before.
func (c *clocks) at(name string, t, now time.Time) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := c.now[name].aheadAt(now)
	if old, ok := c.then[name]; ok && now.Sub(old.at) < 2*clockPeriod {
		ahead = max(ahead, old.aheadAt(now))
	}
	return now.UnixMicro() - now.Sub(t).Microseconds() + ahead + clockGrain
}

func (r reading) aheadAt(now time.Time) int64 {
	return r.ahead - now.Sub(r.at).Microseconds()/clockDrift
}
