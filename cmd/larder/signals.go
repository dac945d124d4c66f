// signals.go hears the signals that ask larder to end, and passes them on to the processes it runs.

package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// signalError is the cause of a context that a signal ended.
type signalError struct{ signal syscall.Signal }

func (e signalError) Error() string { return e.signal.String() }

// listener hears the signals that ask larder to end, also those of its terminal. The first one
// cancels a context, and each goes to every process that runs; so whoever sees a process end by
// one finds the context canceled. A signal that the caller ignores (nohup, a shell's &) stays
// ignored.
type listener struct {
	cancel context.CancelCauseFunc
	heard  chan os.Signal

	mu    sync.Mutex // guards the fields below
	first os.Signal
	heirs map[chan os.Signal]struct{}
}

type listenerKey struct{}

// untilSignal returns a context that the first signal cancels. The second one acts as if larder
// did not listen, unless there is a process to pass it on to.
func untilSignal(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	l := &listener{
		cancel: cancel, heard: make(chan os.Signal, 8), heirs: map[chan os.Signal]struct{}{},
	}
	notify(l.heard, append(forwarded(), syscall.SIGTERM)...)
	go func() {
		for s := range l.heard {
			l.pass(s)
		}
	}()
	return context.WithValue(ctx, listenerKey{}, l), func() {
		signal.Stop(l.heard) // nothing is sent any more
		close(l.heard)
		cancel(nil)
	}
}

func (l *listener) pass(s os.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == nil {
		l.first = s
		l.cancel(signalError{s.(syscall.Signal)})
	}
	for c := range l.heirs {
		select {
		case c <- s:
		default: // it has many to read
		}
	}
	l.restLocked()
}

// restLocked stops listening once a signal has come that nobody runs for.
func (l *listener) restLocked() {
	if l.first != nil && len(l.heirs) == 0 {
		signal.Stop(l.heard)
	}
}

// hear returns a channel that gets each signal until stop is called, and the one that has canceled
// ctx already if there was one.
func hear(ctx context.Context) (signals <-chan os.Signal, stop func()) {
	l, ok := ctx.Value(listenerKey{}).(*listener)
	if !ok {
		return nil, func() {}
	}
	c := make(chan os.Signal, 8)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first != nil {
		c <- l.first
	}
	l.heirs[c] = struct{}{}
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.heirs, c)
		l.restLocked()
	}
}

// notify is signal.Notify without the signals that are ignored.
func notify(c chan<- os.Signal, signals ...os.Signal) {
	for _, s := range signals {
		if !signal.Ignored(s) {
			signal.Notify(c, s)
		}
	}
}
