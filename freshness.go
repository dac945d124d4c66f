// freshness.go says what a value may be used for at which age. It is pure: times come as arguments.

package larder

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/larder-go/larder/store"
)

// state is what a value may be used for.
type state uint8

const (
	fresh state = iota // served
	due                // served, and refreshed behind ahead of time
	stale              // served, and refreshed behind
	kept               // served if the origin fails, or is slow
	gone               // never served
)

// freshness is how values age: what Options say of it.
type freshness struct {
	stale   time.Duration // after being fresh: served while it is refreshed
	onError time.Duration // after being fresh: served where the origin fails
	ahead   float64       // share of the fresh time after which it is due
	early   float64       // beta of XFetch
}

// trivial tells whether a value is fresh and then gone, and nothing else.
func (f freshness) trivial() bool { return f == freshness{} }

// life is what a value carries besides, where there is more to say than a deadline. Times but the
// first are in nanoseconds of the engine's clock; what was made elsewhere may be older. Nothing but
// the atomic fields changes once it is in an entry.
type life struct {
	created int64         // when its load began, in nanoseconds of Unix time
	fresh   int64         // until then it is fresh; never: for ever
	due     int64         // from then on it is refreshed ahead of time; never: it is not
	gone    int64         // from then on it is never served
	took    time.Duration // how long its load took
	strict  bool          // not served when it is stale: nothing is heard of others
	absent  error         // the origin has no such thing, and said so with this error
	tags    []string
	name    string // in the store, where the key cannot be read from it
	marks   store.Validators

	next       atomic.Int64 // no refresh begins before; never: one is under way
	distrusted atomic.Bool  // what others did may have gone unheard: only if the origin fails
}

// after adds a span to a time, never where that is beyond counting.
func after(t int64, d time.Duration) int64 {
	if t == never || int64(d) > math.MaxInt64-max(t, 0) {
		return never
	}
	return t + int64(d)
}

// gone returns from when on a value is never served that is fresh until then.
func (f freshness) gone(fresh int64) int64 { return after(fresh, max(f.stale, f.onError)) }

// earliest is how many times took*early before its end a value may be refreshed early: at that
// distance the chance is e^-30.
const earliest = 30

// look returns until when a hit on a value need not ask what it may be used for.
func (f freshness) look(l *life) int64 {
	if l.absent != nil || l.distrusted.Load() {
		return always
	}
	look := min(l.fresh, l.gone, l.due)
	if f.early > 0 && l.fresh != never {
		look = min(look, l.fresh-int64(min(earliest*f.early*float64(l.took), math.MaxInt64/4)))
	}
	return look
}

// dueAt returns from when on a value is refreshed ahead of time that is fresh for ttl, until fresh.
func (f freshness) dueAt(fresh int64, ttl time.Duration) int64 {
	if f.ahead == 0 || fresh == never {
		return never
	}
	return fresh - int64(math.Round((1-f.ahead)*float64(ttl)))
}

// at returns what a value may be used for at now. draw is a random number above 0, at most 1: with
// Early a value is due with the chance e^-(rest/(took*early)), where rest is how long it is still
// fresh (XFetch: Vattani, Chierichetti and Lowenstein, VLDB 2015).
func (f freshness) at(l *life, now int64, draw float64) state {
	switch {
	case now >= l.gone:
		return gone
	case l.distrusted.Load():
		return f.afterStale(l, now)
	case now >= l.fresh && (l.strict || now >= after(l.fresh, f.stale)):
		return f.afterStale(l, now)
	case now >= l.fresh:
		return stale
	case now >= l.due, f.isEarly(l, now, draw):
		return due
	}
	return fresh
}

func (f freshness) isEarly(l *life, now int64, draw float64) bool {
	if f.early == 0 || l.fresh == never {
		return false
	}
	return float64(l.fresh-now) < -math.Log(draw)*f.early*float64(l.took)
}

// afterStale is what remains of a value that may not be served as it is.
func (f freshness) afterStale(l *life, now int64) state {
	if f.onError > 0 && now < after(l.fresh, f.onError) && l.absent == nil {
		return kept
	}
	return gone
}

// jittered returns a time to live between 1-jitter and 1+jitter of ttl, by draw between 0 and 1.
func jittered(ttl time.Duration, jitter, draw float64) time.Duration {
	if jitter == 0 || ttl == Forever {
		return ttl
	}
	f := float64(ttl) * (1 + jitter*(2*draw-1))
	if f >= math.MaxInt64 {
		return Forever - 1
	}
	return max(time.Duration(f), 1)
}
