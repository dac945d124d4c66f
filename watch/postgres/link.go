// link.go holds the connection: it makes it, listens, asks whether it lives, and makes it again.

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/store"
)

const (
	connectTime = 5 * time.Second        // how long connecting may take
	hangUpTime  = 200 * time.Millisecond // how long saying goodbye may take
	minPause    = 50 * time.Millisecond  // before the second attempt to connect
	maxPause    = 5 * time.Second        // between attempts
)

// link is the goroutine that holds the connection. It ends with the last who watches.
type link struct {
	w      *Watcher
	cancel context.CancelFunc
	done   chan struct{}
	wake   context.CancelFunc // guarded by w.mu: ends the wait for a notification; nil: none waits
}

// startLink starts the goroutine.
func (w *Watcher) startLink() *link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &link{w: w, cancel: cancel, done: make(chan struct{})}
	go l.run(ctx)
	return l
}

// wait returns when the goroutine has ended. It may be called on nil.
func (l *link) wait() {
	if l != nil {
		<-l.done
	}
}

// wakeLocked lets the goroutine look for who is new.
func (l *link) wakeLocked() {
	if l.wake != nil {
		l.wake()
	}
}

func (l *link) run(ctx context.Context) {
	defer close(l.done)
	for pause := minPause; ctx.Err() == nil; {
		conn, err := l.w.connect(ctx)
		if err == nil {
			pause = minPause
			err = l.listen(ctx, conn)
		}
		l.unlinked(ctx, err)
		if conn != nil {
			hangUp(conn)
		}
		sleep(ctx, pause/2+rand.N(pause/2)) // so that not all come back at once
		pause = min(2*pause, maxPause)
	}
}

// sleep returns after d, or when ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// hangUp closes a connection that may not answer.
func hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), hangUpTime)
	defer cancel()
	conn.Close(ctx)
}

// listen tells what a connection says, until it fails or ctx is done.
func (l *link) listen(ctx context.Context, conn *pgx.Conn) error {
	l.linked()
	for {
		payload, err := l.next(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return err
		case payload != nil:
			l.tell(l.event(*payload))
		}
	}
}

// next waits for the payload of the next notification. It returns nil when a heartbeat has passed
// without one, or somebody was told that the link stands, and the connection is alive.
func (l *link) next(ctx context.Context, conn *pgx.Conn) (*string, error) {
	wait, cancel := context.WithTimeout(ctx, l.w.heartbeat)
	defer cancel()
	l.w.mu.Lock()
	l.wake = cancel // whoever comes from now on ends the wait
	l.w.mu.Unlock()
	l.tell(store.Event{Kind: store.Linked}) // for whoever came before
	n, err := conn.WaitForNotification(wait)
	if err == nil {
		return &n.Payload, nil
	}
	if wait.Err() == nil || ctx.Err() != nil || conn.IsClosed() {
		return nil, fmt.Errorf("postgres: wait: %w", err)
	}
	ask, done := context.WithTimeout(ctx, l.w.heartbeat)
	defer done()
	if err := conn.Ping(ask); err != nil {
		return nil, fmt.Errorf("postgres: no heartbeat: %w", err)
	}
	return nil, nil
}

// event says what a payload says, and counts it.
func (l *link) event(payload string) store.Event {
	e, known := Parse(payload)
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.stats.Heard++
	if !known {
		l.w.stats.Unknown++
	}
	return e
}

// tell tells all who watch by this link, one after the other.
func (l *link) tell(e store.Event) {
	l.w.mu.Lock()
	var ears []*ear
	if l.w.link == l { // else they belong to the next one
		ears = l.w.ears // never changed in place: see remove
	}
	l.w.mu.Unlock()
	for _, r := range ears {
		r.tell(e)
	}
}

// linked notes that the link stands; next tells it.
func (l *link) linked() {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	if l.w.link == l {
		l.w.stats.Linked, l.w.stats.Err = true, nil
		l.w.stats.Links++
	}
}

// unlinked notes and tells that there is no link, and why.
func (l *link) unlinked(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // nobody is left
	}
	l.w.mu.Lock()
	l.wake = nil
	l.w.stats.Linked, l.w.stats.Err = false, err
	l.w.mu.Unlock()
	l.tell(store.Event{Kind: store.Lost})
}
