// postgres.go is the watcher: who listens, and to what.

// Package postgres hears from PostgreSQL what has changed in its tables.
//
// Whoever changes a row sends a notification in the same transaction, by [Notify] or by a trigger
// (see [Trigger]), and memory in front of any store forgets the key. PostgreSQL sends it when the
// transaction commits, and not if it is rolled back.
//
// Notifications are sent to those who listen at that moment. What is sent while a link is down is
// lost: that is what the events Lost and Linked are for.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/larder-go/larder/store"
)

// DefaultChannel is the channel of notifications where none is named.
const DefaultChannel = "larder"

// maxChannel is the length of the longest name in PostgreSQL, in bytes (NAMEDATALEN - 1).
const maxChannel = 63

// Options of [New]; the zero value connects as the environment says (PGHOST and so on).
type Options struct {
	// Name says in a Snapshot which watcher it is; "" means "postgres".
	Name string
	// DSN says how to connect, as a URL or as words: see pgx.ParseConfig. With several hosts add
	// target_session_attrs=primary, for a standby cannot listen. It must not lead through a pooler
	// of transactions, such as PgBouncer: that loses what is listened to.
	DSN string
	// Config is used in place of DSN if it is there.
	Config *pgx.ConnConfig
	// Channel is the channel that is listened to, 63 bytes at most; "" means [DefaultChannel].
	Channel string
	// Heartbeat is how often a silent link is asked whether it is alive, and how long it may take
	// to answer: Lost comes within two of them. 0 means 1 second.
	Heartbeat time.Duration
}

// Watcher is a [store.Watcher] that listens to a channel of PostgreSQL. All who watch share one
// connection, which is there as long as anybody watches. All methods are safe for concurrent use.
//
// The payload of a notification says what happened:
//
//	key:user:42   the item of the key "user:42" has changed
//	tag:team:7    all items with the tag "team:7" have changed
//	clear         any item may have changed
//
// Any other counts as "clear", and [Stats] count it: something has changed, and nobody knows what.
type Watcher struct {
	name      string
	config    *pgx.ConnConfig
	channel   string
	heartbeat time.Duration

	mu     sync.Mutex // guards the fields below
	ears   []*ear     // in the order in which they came
	link   *link      // nil while nobody watches
	stats  Stats
	closed bool
}

var _ store.Watcher = (*Watcher)(nil)

// Stats says how a [Watcher] is doing.
type Stats struct {
	Linked  bool   // whether notifications are heard now
	Heard   uint64 // notifications
	Unknown uint64 // those of them that were not understood
	Links   uint64 // how often a link stood
	Err     error  // why there is no link, or why the last one was lost; nil: nothing went wrong
}

// New returns a watcher. It does not connect before somebody watches. The error says what is wrong
// with o.
func New(o Options) (*Watcher, error) {
	if o.Channel == "" {
		o.Channel = DefaultChannel
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = time.Second
	}
	switch {
	case o.Heartbeat < 0:
		return nil, errors.New("postgres: a negative heartbeat")
	case !isText(o.Channel) || len(o.Channel) > maxChannel:
		return nil, fmt.Errorf("postgres: channel %.70q is no text of at most %d bytes",
			o.Channel, maxChannel)
	}
	config := o.Config
	if config == nil {
		var err error
		if config, err = pgx.ParseConfig(o.DSN); err != nil {
			return nil, fmt.Errorf("postgres: %w", err)
		}
	}
	config = config.Copy()
	config.OnNotification = nil // else pgx would not keep them for us
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "larder"
	}
	return &Watcher{
		name: cmp.Or(o.Name, "postgres"), config: config, channel: o.Channel, heartbeat: o.Heartbeat,
	}, nil
}

// isText reports whether PostgreSQL can have s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// ear is somebody who watches.
type ear struct {
	hear func(store.Event)

	mu      sync.Mutex // held while hear runs; guards the fields below
	linked  bool       // whether it was told of the link
	stopped bool
}

// tell calls hear for e, and says Linked before the first event of a link. It says Lost to those
// alone who know of a link.
func (r *ear) tell(e store.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || e.Kind == store.Lost && !r.linked {
		return
	}
	if !r.linked {
		r.linked = true
		r.hear(store.Event{Kind: store.Linked})
	}
	switch e.Kind {
	case store.Linked: // it is said
	case store.Lost:
		r.linked = false
		r.hear(e)
	default:
		r.hear(e)
	}
}

// stop waits for a hear that is running.
func (r *ear) stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
}

// Watch implements [store.Watcher]. After Close it does nothing.
func (w *Watcher) Watch(hear func(store.Event)) (stop func()) {
	r := &ear{hear: hear}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return func() {}
	}
	w.ears = append(w.ears, r)
	if w.link == nil {
		w.link = w.startLink()
	}
	w.link.wakeLocked()
	return sync.OnceFunc(func() { w.remove(r) })
}

// remove ends the watch of one, and the link after the last.
func (w *Watcher) remove(r *ear) {
	w.mu.Lock()
	var kept []*ear
	for _, other := range w.ears {
		if other != r {
			kept = append(kept, other)
		}
	}
	w.ears = kept
	var last *link
	if len(w.ears) == 0 {
		last = w.endLocked()
	}
	w.mu.Unlock()
	r.stop()
	last.wait()
}

// endLocked ends the link and returns it, to wait for.
func (w *Watcher) endLocked() *link {
	l := w.link
	w.link = nil
	w.stats.Linked = false
	if l != nil {
		l.cancel()
	}
	return l
}

// Close ends all watches and returns when none hears anything more. It returns nil, and may be
// called twice; like stop it must not be called by hear.
func (w *Watcher) Close() error {
	w.mu.Lock()
	w.closed = true
	ears := w.ears
	w.ears = nil
	l := w.endLocked()
	w.mu.Unlock()
	for _, r := range ears {
		r.stop()
	}
	l.wait()
	return nil
}

// Stats returns how the watcher is doing.
func (w *Watcher) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// connect returns a connection that listens.
func (w *Watcher) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, max(connectTime, 2*w.heartbeat))
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, w.config)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{w.channel}.Sanitize()); err != nil {
		hangUp(conn)
		return nil, fmt.Errorf("postgres: listen: %w", err)
	}
	return conn, nil
}
