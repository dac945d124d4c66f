// read.go answers a query that may be answered from the cache.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"sync"
	"time"

	"github.com/larder-go/larder"
)

// read returns the rows of a query: those that are kept, those that somebody else is loading, or
// those that run gets.
func (c *Conn) read(
	ctx context.Context, st *statement, s call, run func() (driver.Rows, error),
) (driver.Rows, error) {
	w := c.cache.wishOf(ctx, s.text)
	if !w.keep && w.bad == "" {
		return c.pass("", run)
	}
	l, why := c.loadOf(ctx, st, s, w)
	if why != "" {
		return c.pass(why, run)
	}
	now := time.Now()
	if r, ok := c.cache.results.Lookup(l.key); ok && hold(r.marks, now) {
		c.cache.counters.hits.Add(1)
		c.catch(ctx, r)
		return r.rows(), nil
	}
	var quiet bool
	if l.marks, quiet = markAll(st.reads, now); !quiet || !hold(st.marks, now) {
		return c.pass("its tables are being changed", run)
	}
	return c.load(ctx, l, run)
}

// pass runs a query that is not kept, and counts why: "" if nobody asked for that.
func (c *Conn) pass(why string, run func() (driver.Rows, error)) (driver.Rows, error) {
	rows, err := run()
	switch {
	case asksAgain(err):
	case why == "":
		c.cache.counters.unasked.Add(1)
	default:
		c.cache.counters.count(why)
	}
	return rows, err
}

// loadOf returns what is to be loaded if it is not there, or why it is not kept.
func (c *Conn) loadOf(
	ctx context.Context, st *statement, s call, w wish,
) (l load, why string) {
	switch {
	case w.bad != "":
		return l, w.bad
	case len(st.Reads) == 0:
		return l, "reads no table"
	case c.session.phase != outside:
		return l, "is within a transaction"
	case c.open > 0:
		return l, "other rows of its connection are being read"
	case c.session.unknown:
		return l, "its session was changed in a way that cannot be told"
	case !c.session.keeps():
		return l, "its session has tables or a database of its own"
	case c.cache.deaf.Load():
		return l, "changes by others are not heard at the moment"
	}
	if at := c.sentinel(); at != nil && !at.look(ctx, c.number) {
		return l, "whether others have written is not known at the moment"
	}
	l = load{statement: st, call: s, ttl: w.ttl}
	l.key, l.dynamic, why = st.keyOf(s.text, s.args)
	return l, why
}

// load is a result that is to be loaded.
type load struct {
	statement *statement
	call      call
	key       larder.Key
	dynamic   bool // the arguments may have said something else to the driver than to us
	marks     []mark
	ttl       time.Duration
}

// isSame reports whether the arguments still say what they said.
func (l *load) isSame() bool {
	if !l.dynamic {
		return true
	}
	key, _, why := l.statement.keyOf(l.call.text, l.call.args)
	return why == "" && key == l.key
}

// load loads a result, or waits for somebody who is loading it.
func (c *Conn) load(
	ctx context.Context, l load, run func() (driver.Rows, error),
) (driver.Rows, error) {
	f, first := c.cache.flights.join(l)
	if first {
		return c.fly(ctx, f, l, run)
	}
	if f == nil { // what is being loaded is out of date
		return c.loadAlone(l, run)
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		c.cache.counters.failed.Add(1)
		return nil, ctx.Err()
	}
	if f.result != nil && hold(f.result.marks, time.Now()) {
		c.cache.counters.coalesced.Add(1)
		c.catch(ctx, f.result)
		return f.result.rows(), nil
	}
	return c.loadAlone(l, run)
}

// loadAlone loads a result that is neither kept nor given to others.
func (c *Conn) loadAlone(l load, run func() (driver.Rows, error)) (driver.Rows, error) {
	began := time.Now()
	rows, err := run()
	c.cache.counters.load(l, began, err)
	return rows, err
}

// fly loads a result for all who wait for it.
func (c *Conn) fly(
	ctx context.Context, f *flight, l load, run func() (driver.Rows, error),
) (driver.Rows, error) {
	defer c.cache.flights.land(l.key, f)
	began := time.Now()
	rows, err := run()
	if err != nil {
		c.cache.counters.load(l, began, err)
		return nil, err
	}
	whole, out := c.cache.collect(rows)
	c.cache.counters.load(l, began, out.failure())
	if whole != nil && l.isSame() {
		whole.marks, whole.until = l.marks, later(time.Now(), l.ttl)
		if c.cache.o.Observe {
			whole.remember(l.call.text)
		}
		c.cache.results.SetFor(noContext, l.key, whole, l.ttl)
		f.result = whole
		c.catch(ctx, whole)
	}
	return out, nil
}

// later returns the end of a time to live, which may be larder.Forever.
func later(now time.Time, ttl time.Duration) time.Time {
	return now.Add(min(ttl, 100*365*24*time.Hour))
}

// flights are the results that are being loaded.
type flights struct {
	mu  sync.Mutex // guards the field below
	now map[larder.Key]*flight
}

// flight is one of them.
type flight struct {
	marks  []mark
	done   chan struct{} // closed when result is set
	result *result       // nil: there is none for others
}

// join returns the flight of a result, and whether the caller is the one who has to load it. There
// is none for who comes after a change that the load under way may not have seen.
func (fs *flights) join(l load) (f *flight, first bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if f := fs.now[l.key]; f != nil {
		if !sameMarks(f.marks, l.marks) {
			return nil, false
		}
		return f, false
	}
	if fs.now == nil {
		fs.now = map[larder.Key]*flight{}
	}
	f = &flight{marks: l.marks, done: make(chan struct{})}
	fs.now[l.key] = f
	return f, true
}

// land ends a flight.
func (fs *flights) land(key larder.Key, f *flight) {
	fs.mu.Lock()
	delete(fs.now, key)
	fs.mu.Unlock()
	close(f.done)
}

// sameMarks reports whether tables had changed as often in both; they are the same tables.
func sameMarks(a, b []mark) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
