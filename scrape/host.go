// host.go makes requests to one host wait for each other, as it or its robots.txt asks.

package scrape

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxHosts is how many hosts are remembered before idle ones are forgotten.
const maxHosts = 4096

// hosts keeps one host for each origin: scheme, name and port.
type hosts struct {
	limit    rate.Limit
	perHost  int
	maxWait  time.Duration
	mu       sync.Mutex // guards the field below, and users and used of every host
	byOrigin map[string]*host
}

// host is what we know of one origin.
type host struct {
	origin  string
	maxWait time.Duration
	limiter *rate.Limiter
	slots   chan struct{} // one element for each request that waits for its turn or is in flight
	asking  chan struct{} // holds an element while somebody reads or fetches robots.txt
	kept    keptRobots    // guarded by asking
	users   int           // guarded by hosts.mu
	used    time.Time     // guarded by hosts.mu

	mu    sync.Mutex // guards the field below
	pause time.Time  // until then the host wants no request
}

// get returns the host of origin, which must be given back by put.
func (hs *hosts) get(origin string) *host {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h, ok := hs.byOrigin[origin]
	if !ok {
		hs.forgetLocked(time.Now())
		h = &host{
			origin:  origin,
			maxWait: hs.maxWait,
			limiter: rate.NewLimiter(hs.limit, 1),
			slots:   make(chan struct{}, hs.perHost),
			asking:  make(chan struct{}, 1),
		}
		hs.byOrigin[origin] = h
	}
	h.users++
	return h
}

func (hs *hosts) put(h *host) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	h.users--
	h.used = time.Now()
}

// forgetLocked drops hosts that nobody has used for a minute, once there are many. Their
// robots.txt stays in the store.
func (hs *hosts) forgetLocked(now time.Time) {
	if len(hs.byOrigin) < maxHosts {
		return
	}
	for origin, h := range hs.byOrigin {
		if h.users == 0 && now.Sub(h.used) > time.Minute && h.pauseLeft(now) == 0 {
			delete(hs.byOrigin, origin)
		}
	}
}

// enter waits for the turn of one request. After nil, leave must be called when it is over. The
// error is that of ctx, or wraps ErrBusy.
func (h *host) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := h.turn(ctx); err != nil {
		h.leave()
		return err
	}
	return nil
}

func (h *host) leave() { <-h.slots }

// turn waits until the host wants requests and the limiter lets one through. The host may ask for a
// pause while we wait for the limiter, so it is asked again afterwards.
func (h *host) turn(ctx context.Context) error {
	for {
		if err := h.waitPause(ctx); err != nil {
			return err
		}
		r := h.limiter.Reserve()
		if err := sleep(ctx, r.Delay()); err != nil {
			r.Cancel()
			return err
		}
		if h.pauseLeft(time.Now()) == 0 {
			return nil
		}
	}
}

func (h *host) waitPause(ctx context.Context) error {
	left := h.pauseLeft(time.Now())
	if left > h.maxWait {
		return busyError(left, h.maxWait)
	}
	return sleep(ctx, left)
}

// pauseLeft returns how long the host still wants no request.
func (h *host) pauseLeft(now time.Time) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return max(0, h.pause.Sub(now))
}

// pauseUntil makes all requests to the host wait until t.
func (h *host) pauseUntil(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.After(h.pause) {
		h.pause = t
	}
}
