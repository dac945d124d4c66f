// breaker.go decides when a store is left alone, and when it is tried again.

package store

import (
	"context"
	"sync/atomic"
	"time"
)

// GuardState says whether a [Guard] asks its store.
type GuardState uint8

// The states of a [Guard].
const (
	// GuardClosed is a store that works: it is asked.
	GuardClosed GuardState = iota
	// GuardOpen is a store that failed: it is left alone until the cooldown is over.
	GuardOpen
	// GuardHalfOpen is a store that is tried by one probe, while all others leave it alone.
	GuardHalfOpen
)

// String returns the state in a word.
func (s GuardState) String() string {
	names := [...]string{"closed", "open", "half-open", "unknown"}
	return names[min(int(s), len(names)-1)]
}

// breaker counts failures against successes. While it is closed and nothing fails, it reads two
// words for each operation and writes none.
//
// The balance is failures minus successes, never below zero. At the limit the breaker opens: after
// that many failures in a row, and also when more operations fail than succeed, however they
// alternate. It needs no window of time: a store that is not used says nothing of how it is.
type breaker struct {
	limit    int64
	cooldown time.Duration
	onChange func(GuardState)
	start    time.Time

	turn    atomic.Uint64 // the state in the low two bits, above them the number of changes
	balance atomic.Int64
	opened  atomic.Int64 // when, in nanoseconds since start
	times   atomic.Uint64
	gate    atomic.Pointer[gate]
}

// gate is a context that ends when the breaker opens, for those who wait for long.
type gate struct {
	context.Context
	shut context.CancelFunc
}

func newGate(parent context.Context) *gate {
	ctx, cancel := context.WithCancel(parent)
	return &gate{ctx, cancel}
}

func stateOf(turn uint64) GuardState { return GuardState(turn & 3) }

func (b *breaker) state() GuardState { return stateOf(b.turn.Load()) }

// settle takes note of how an operation ended that began in turn. One that began before the
// last change says nothing of the time after it.
func (b *breaker) settle(turn uint64, failed bool) {
	if b.turn.Load() != turn {
		return
	}
	if failed {
		if b.balance.Add(1) >= b.limit {
			b.open(turn)
		}
		return
	}
	for {
		n := b.balance.Load()
		if n <= 0 || b.balance.CompareAndSwap(n, n-1) {
			return
		}
	}
}

// open leaves the store alone from now on. The gate is read before the change: after it, it may be
// that of the next turn.
func (b *breaker) open(turn uint64) {
	g := b.gate.Load()
	b.opened.Store(int64(time.Since(b.start)))
	if b.change(turn, GuardOpen) {
		b.times.Add(1)
		g.shut()
		b.tell(GuardOpen)
	}
}

// close lets all ask again. Only the one probe of turn calls it.
func (b *breaker) close(turn uint64, next *gate) {
	b.balance.Store(0)
	b.gate.Store(next)
	b.change(turn, GuardClosed)
	b.tell(GuardClosed)
}

// tryProbe reports whether the caller is the one who has to start the probe, and of which turn.
func (b *breaker) tryProbe(turn uint64) (probe uint64, ok bool) {
	if stateOf(turn) != GuardOpen ||
		time.Since(b.start)-time.Duration(b.opened.Load()) < b.cooldown ||
		!b.change(turn, GuardHalfOpen) {
		return 0, false
	}
	b.tell(GuardHalfOpen)
	return turnTo(turn, GuardHalfOpen), true
}

func turnTo(turn uint64, to GuardState) uint64 { return (turn>>2+1)<<2 | uint64(to) }

func (b *breaker) change(turn uint64, to GuardState) bool {
	return b.turn.CompareAndSwap(turn, turnTo(turn, to))
}

func (b *breaker) tell(s GuardState) {
	if b.onChange != nil {
		b.onChange(s)
	}
}
