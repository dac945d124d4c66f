// tracking.go lets the server tell of every key that changes.

package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// trackingOption has every connection told of the keys behind our prefix. NOLOOP spares it what it
// has written itself. Of two who write one key in the same moment the server tells the one whose
// write came first: the other has the newer item.
func (s *Store) trackingOption(o *rueidis.ClientOption) {
	o.DisableCache = false
	o.ClientTrackingOptions = []string{"BCAST", "NOLOOP"}
	for _, kind := range []byte{kindValue, kindLease, kindSign} {
		o.ClientTrackingOptions = append(o.ClientTrackingOptions, "PREFIX", s.keys.kind(kind))
	}
	o.OnInvalidations = func([]rueidis.RedisMessage) {} // so that rueidis reads all the time
	o.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore {
		return invalidations{s.link}
	}
}

// invalidations is a cache of rueidis that holds nothing. Unlike OnInvalidations, it tells a flush
// (Delete of nil) from the end of the connection (Close), of which the wire tells.
type invalidations struct{ l *link }

func (i invalidations) Delete(names []rueidis.RedisMessage) {
	if names == nil {
		i.l.heard(kindAll, "")
		return
	}
	for _, n := range names {
		name, err := n.ToString()
		if err != nil {
			continue
		}
		if kind, key, ok := i.l.s.keys.parse(name); ok {
			i.l.heard(kind, key)
		}
	}
}

func (invalidations) Close(error) {}

func (invalidations) Flight(_, _ string, _ time.Duration, _ time.Time) (
	rueidis.RedisMessage, rueidis.CacheEntry,
) {
	return rueidis.RedisMessage{}, nil
}

func (invalidations) Update(_, _ string, _ rueidis.RedisMessage) int64 { return 0 }
func (invalidations) Cancel(_, _ string, _ error)                      {}

// track has the link by tracked connections, until one of them breaks.
func (l *link) track() error {
	ctx, cancel := context.WithTimeout(l.s.ctx, l.s.o.DialTimeout+l.s.o.Timeout)
	defer cancel()
	cl, err := l.s.conn.track(ctx)
	if err != nil {
		return err
	}
	for l.s.ctx.Err() == nil {
		losses := cl.wires.lossCount()
		if err := l.ask(cl); err != nil {
			return err
		}
		if !l.raiseIf(cl.wires, losses) {
			return errSilent
		}
		l.rest(l.s.o.Heartbeat / 2)
	}
	return nil
}

// raiseIf says that the link stands, unless a connection was lost since losses were counted.
func (l *link) raiseIf(w *wires, losses uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.lossCount() != losses {
		return false
	}
	l.raiseLocked(w)
	return true
}

// ask asks every server for a sign of life. A connection that gives none is cut.
func (l *link) ask(cl *client) error {
	ctx, cancel := context.WithTimeout(l.s.ctx, l.s.o.Heartbeat)
	nodes, err := masters(ctx, cl)
	cancel()
	if err != nil {
		cl.wires.cutSilent(time.Now().Add(-l.s.o.Heartbeat))
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, node := range nodes {
		wg.Go(func() { errs[i] = l.askNode(cl, node) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// slowest is how fast, in bytes a second, what is written must pass so that the link is not taken
// for dead behind it.
const slowest = 8 << 20

// askNode sends a PING and waits for a Heartbeat, and for what is being read or written before it.
func (l *link) askNode(cl *client, node rueidis.Client) error {
	ctx, cancel := context.WithCancel(l.s.ctx)
	defer cancel()
	asked := time.Now()
	written := cl.wires.written()
	answer := make(chan error, 1)
	go func() { answer <- node.Do(ctx, node.B().Ping().Build()).Error() }()
	timer := time.NewTimer(l.s.o.Heartbeat)
	defer timer.Stop()
	for {
		select {
		case err := <-answer:
			return err
		case <-timer.C:
		}
		more := time.Duration(cl.wires.written()-written) * time.Second / slowest
		late := time.Since(asked) - l.s.o.Heartbeat - more
		if late >= 0 && cl.wires.cutSilent(asked) {
			return errSilent
		}
		timer.Reset(max(-late, l.s.o.Heartbeat/4))
	}
}
