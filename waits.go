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

// parent is the key under which a loader's context holds the load that it works for.
type parent struct{}

// workingFor returns ctx for the loader of l.
func workingFor(ctx context.Context, l *load) context.Context {
	return context.WithValue(ctx, parent{}, l)
}

// runs notes that the calling goroutine runs the loader.
func (l *load) runs() { l.goroutine.Store(goroutine()) }

// await notes that the loader whose context ctx is waits for l until end is called. It returns
// ErrRecursive if that would be for ever.
func await(ctx context.Context, l *load) (end func(), err error) {
	asking, _ := ctx.Value(parent{}).(*load)
	if asking == nil {
		if g := l.goroutine.Load(); g != 0 && g == goroutine() { // its context was not passed on
			return nil, ErrRecursive
		}
		return func() {}, nil
	}
	waiting.Lock()
	defer waiting.Unlock()
	if l.leadsTo(asking, map[*load]bool{}) {
		return nil, ErrRecursive
	}
	asking.waits = append(asking.waits, l)
	return func() { asking.endWait(l) }, nil
}

// endWait takes back what await has noted.
func (l *load) endWait(other *load) {
	waiting.Lock()
	defer waiting.Unlock()
	if i := slices.Index(l.waits, other); i >= 0 {
		l.waits = slices.Delete(l.waits, i, i+1)
	}
}

// leadsTo tells whether l waits for other, directly or not. seen are the loads that do not.
func (l *load) leadsTo(other *load, seen map[*load]bool) bool {
	if l == other {
		return true
	}
	if seen[l] {
		return false
	}
	seen[l] = true
	return slices.ContainsFunc(l.waits, func(w *load) bool { return w.leadsTo(other, seen) })
}

// joined makes one load of several that a single call of the origin brings: they all wait for what
// its loader asks for.
func joined(calls []*load) *load {
	all := &load{}
	waiting.Lock()
	defer waiting.Unlock()
	for _, l := range calls {
		l.waits = append(l.waits, all)
	}
	return all
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
