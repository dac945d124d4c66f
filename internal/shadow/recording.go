// recording.go writes down requests for somebody who wants to replay them.

package shadow

import (
	"context"
	"errors"
	"time"
)

// ErrRecording is returned where a recording goes on already.
var ErrRecording = errors.New("shadow: somebody else is recording")

// Access is one request.
type Access struct {
	Hash uint32
	Hit  bool
}

// recording is requests that are to be handed out.
type recording struct {
	requests []Access
	left     int
}

func (r *recording) note(e event) {
	if k := e.kind(); r.left > 0 && (k == hit || k == miss) {
		r.left--
		r.requests = append(r.requests, Access{e.hash(), k == hit})
	}
}

// every is how often a recording hands out what it has.
const every = 20 * time.Millisecond

// Record hands out all requests that come until ctx is done or the observer is closed, at most n, in
// about the order in which they came. Where more come than can be worked off, some are left out.
func (o *Observer) Record(ctx context.Context, n int, yield func(Access)) error {
	r := &recording{left: n}
	o.work.Lock()
	busy := o.record != nil
	if !busy {
		o.record = r
		o.all.Store(true)
	}
	o.work.Unlock()
	if busy {
		return ErrRecording
	}
	o.listen()
	defer o.endRecording()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for done := false; !done; {
		select {
		case <-ctx.Done():
			done = true
		case <-ticker.C:
		}
		requests, left := o.recorded(r)
		for _, a := range requests {
			yield(a)
		}
		done = done || left <= 0 || o.ended.Load()
	}
	return nil
}

// recorded takes what was recorded so far.
func (o *Observer) recorded(r *recording) (requests []Access, left int) {
	for i := range o.stripes {
		o.passOn(&o.stripes[i])
	}
	o.workOff(most)
	o.work.Lock()
	defer o.work.Unlock()
	requests, r.requests = r.requests, nil
	return requests, r.left
}

func (o *Observer) endRecording() {
	o.work.Lock()
	o.record = nil
	o.all.Store(false)
	o.work.Unlock()
	o.listen()
}
