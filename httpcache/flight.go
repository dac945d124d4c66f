// flight.go lets one load serve all who wait for it.

package httpcache

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// flights are the loads under way, by what they load. The zero value has none.
type flights struct {
	ends atomic.Uint64 // how many have ended; written under mu

	mu   sync.Mutex // guards the fields below
	m    map[string]*flight
	last [64]string // what those loaded that ended last
}

// join returns the flight under key, and whether the caller is the first and has to load.
func (fs *flights) join(key string) (fl *flight, first bool) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fl, ok := fs.m[key]; ok {
		fs.waitLocked(fl, 1)
		return fl, false
	}
	if fs.m == nil {
		fs.m = map[string]*flight{}
	}
	fl = newFlight(fs, key)
	fl.shared = true
	fs.m[key] = fl
	return fl, true
}

// ended reports whether a load of key may have ended since so many had.
func (fs *flights) ended(key string, since uint64) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	n := fs.ends.Load()
	if n-since > uint64(len(fs.last)) {
		return true
	}
	for ; n > since; n-- {
		if fs.last[n%uint64(len(fs.last))] == key {
			return true
		}
	}
	return false
}

// removeLocked takes a flight that has ended off the list.
func (fs *flights) removeLocked(fl *flight) {
	fs.last[(fs.ends.Load()+1)%uint64(len(fs.last))] = fl.key
	fs.ends.Add(1)
	if fs.m[fl.key] == fl {
		delete(fs.m, fl.key)
	}
}

// wait notes that n more requests wait for fl, or less.
func (fs *flights) wait(fl *flight, n int) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.waitLocked(fl, n)
}

func (fs *flights) waitLocked(fl *flight, n int) {
	if fl.landed && fl.body != nil {
		fl.body.expect(n)
	}
	fl.waiting += n
}

// abandon ends the load of fl if nobody waits for it.
func (fs *flights) abandon(fl *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fl.waiting <= 0 && !fl.landed {
		fl.cancel()
	}
}

// land tells those who wait for fl how it ended, or that its body arrives. One that has no body is
// taken off the list.
func (fs *flights) land(fl *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fl.landed = true
	if fl.body != nil {
		fl.body.expect(fl.waiting)
	} else {
		fs.removeLocked(fl)
	}
	close(fl.ready)
}

// end takes a flight off the list: who comes now finds the response stored, or loads it.
func (fs *flights) end(fl *flight) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.removeLocked(fl)
}

// forget takes what may be purged off the list: those who wait already get it, nobody else.
func (fs *flights) forget(one purged) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for key := range fs.m {
		if one.tag != "" || one.namesKey(key) {
			delete(fs.m, key)
		}
	}
}

// flight is one load. Its context is not that of any request: who gives up stops waiting, not the
// load, unless its response is for that one alone.
type flight struct {
	of     *flights
	key    string
	shared bool // others may join

	waiting int  // requests; guarded by of.mu, like the next
	landed  bool // those that come now are answered from the fields below

	ready chan struct{} // closed when the fields below are set

	outcome Outcome
	why     reason
	f       *found         // a stored response to serve
	s       *stored        // or the header of one that arrives
	body    *spool         // and its body
	resp    *http.Response // or a response that is for the first alone
	kept    reason         // why it is not stored
	loads   int
	err     error  // or why there is none
	own     bool   // what is set is for the first alone
	at      string // the primary key of what is set

	cancel context.CancelFunc // ends the load
	first  interim            // passes interim responses on to the first
}

func newFlight(of *flights, key string) *flight {
	return &flight{of: of, key: key, waiting: 1, ready: make(chan struct{})}
}

// leave closes what is for the first alone, who has gone.
func (fl *flight) leave() {
	fl.first.close()
	fl.of.wait(fl, -1)
	go func() {
		<-fl.ready
		if fl.resp != nil {
			closeResponse(fl.resp)
			fl.cancel()
		}
	}()
}

// interim passes interim responses on to who may still want them.
type interim struct {
	mu sync.Mutex // guards the fields below
	w  http.ResponseWriter
}

// open lets w have what comes.
func (i *interim) open(w http.ResponseWriter) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.w = w
}

// close waits for a write that is under way and lets none follow.
func (i *interim) close() { i.open(nil) }

// pass writes one interim response (RFC 9110, section 15.2).
func (i *interim) pass(status int, h http.Header) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.w == nil || status == http.StatusSwitchingProtocols {
		return
	}
	own := i.w.Header()
	before := own.Clone()
	for name, values := range h {
		own[name] = values
	}
	i.w.WriteHeader(status)
	clear(own)
	for name, values := range before {
		own[name] = values
	}
}

// watchdog ends a load in which nothing happens for a time.
type watchdog struct {
	timer *time.Timer
	limit time.Duration
	mu    sync.Mutex // guards bit
	bit   bool
}

// watch calls cancel unless calm or stop is called again and again within limit.
func watch(limit time.Duration, cancel context.CancelFunc) *watchdog {
	d := &watchdog{limit: limit}
	d.timer = time.AfterFunc(limit, func() {
		d.mu.Lock()
		d.bit = true
		d.mu.Unlock()
		cancel()
	})
	return d
}

func (d *watchdog) calm() { d.timer.Reset(d.limit) }
func (d *watchdog) stop() { d.timer.Stop() }

// errSilent is what a load ends with in which nothing happened for FillTimeout.
var errSilent = errors.New("httpcache: the origin was silent for too long")

// blame returns why a load failed: err, or that it took too long.
func (d *watchdog) blame(err error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.bit && err != nil && err != io.EOF {
		return errSilent
	}
	return err
}
