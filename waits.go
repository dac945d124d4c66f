// waits.go finds loads that wait for themselves, before they do.

package larder

import (
	"bytes"
	"context"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// load is a call of the origin as others see it: who runs it, and which loads it waits for.
type load struct {
	done      chan struct{}
	goroutine atomic.Uint64 // the one that runs the loader, 0 if none does yet
	waits     []*load       // the loads that its loader asked for; guarded by waiting
}

// waiting guards the waits of all loads: a circle may lead through several caches. It is taken only
// by loaders that ask a cache.
var waiting sync.Mutex

// parents is the key under which a loader's context holds the loads that it works for.
type parents struct{}

// workingFor returns ctx for a loader that works for loads.
func workingFor(ctx context.Context, loads []*load) context.Context {
	return context.WithValue(ctx, parents{}, loads)
}

// runs notes that the calling goroutine runs the loader.
func (l *load) runs() { l.goroutine.Store(goroutine()) }

// await notes that the loader whose context ctx is waits for l until end is called. It returns
// ErrRecursive if that would be for ever.
func await(ctx context.Context, l *load) (end func(), err error) {
	asking, _ := ctx.Value(parents{}).([]*load)
	if len(asking) == 0 {
		if g := l.goroutine.Load(); g != 0 && g == goroutine() { // its context was not passed on
			return nil, ErrRecursive
		}
		return func() {}, nil
	}
	waiting.Lock()
	defer waiting.Unlock()
	for _, a := range asking {
		if l.leadsTo(a) {
			return nil, ErrRecursive
		}
	}
	for _, a := range asking {
		a.waits = append(a.waits, l)
	}
	return func() { endWait(asking, l) }, nil
}

// endWait takes back what await has noted.
func endWait(asking []*load, l *load) {
	waiting.Lock()
	defer waiting.Unlock()
	for _, a := range asking {
		if i := slices.Index(a.waits, l); i >= 0 {
			a.waits = slices.Delete(a.waits, i, i+1)
		}
	}
}

// leadsTo tells whether l waits for other, directly or not. There is no circle yet, so it ends.
func (l *load) leadsTo(other *load) bool {
	if l == other {
		return true
	}
	return slices.ContainsFunc(l.waits, func(w *load) bool { return w.leadsTo(other) })
}

// goroutine returns the number of the calling goroutine, which the runtime shows in stacks only. It
// takes a microsecond, on a way that waits for an origin anyway.
func goroutine() uint64 {
	var buf [64]byte
	fields := bytes.Fields(buf[:runtime.Stack(buf[:], false)]) // goroutine 42 [running]:
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(string(fields[1]), 10, 64)
	return n
}
