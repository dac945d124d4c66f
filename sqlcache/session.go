// session.go follows what a connection has become, and its transaction.

package sqlcache

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// session is the state of a connection. Like its connection it is used by one goroutine at a time.
type session struct {
	conn *Conn

	name    string // what results over it depend on; "": they must not be kept
	label   string // what identity returns; "": it has to be made anew
	known   bool   // name has been asked for
	unknown bool   // it may be in a state that no name tells
	outside bool   // somebody uses the connection past the cache
	back    func() // called when that is over
	kind    string // as which it is counted in connector.likeness
	changes uint64 // how often it may have changed

	phase    phase
	textual  bool // the transaction was begun by its text, so that others may get the connection
	written  map[*table]struct{}
	wroteAll bool
	watched  *watched // nil: outside of a transaction, or nobody else can be noticed
}

// phase says where in a transaction a connection is.
type phase uint8

const (
	outside phase = iota
	within
	unclear // somebody may have begun or ended one in a way that was not understood
)

// identity returns what results depend on, or, if they must not be kept, a name that no other
// connection has.
func (s *session) identity(ctx context.Context) string {
	if !s.known && !s.unknown && s.phase == outside { // a question might be the first of the transaction
		s.ask(ctx)
	}
	if s.label == "" {
		s.label = fmt.Sprintf("#%d.%d", s.conn.number, s.changes)
	}
	return s.label
}

// ask asks the database for the name.
func (s *session) ask(ctx context.Context) {
	name, err := s.conn.cache.o.Dialect.Identity(ctx, s.conn.past())
	if err != nil {
		return
	}
	s.name, s.known = name, true
	if s.label = ""; name != "" {
		s.label = s.conn.connector.name + name
	}
	s.settle()
}

// keeps reports whether results over the connection may be kept.
func (s *session) keeps() bool { return s.known && !s.unknown && s.name != "" }

// settle counts the connection as what it is now.
func (s *session) settle() {
	kind := ""
	switch {
	case s.unknown || s.outside || s.phase == unclear || s.phase == within && s.textual,
		s.changes > 0 && !s.known, s.known && s.name == "":
		kind = odd
	case s.known:
		kind = s.label
	}
	s.count(kind)
}

// count has the connection counted as one of that kind.
func (s *session) count(kind string) {
	if kind != s.kind {
		s.conn.connector.likeness.move(s.kind, kind)
		s.kind = kind
	}
}

// apply notes what a statement has done to the connection.
func (s *session) apply(change Session) {
	switch change {
	case SessionChanged:
		s.known = false
	case SessionUnknown:
		s.unknown = true
	default:
		return
	}
	s.changes++
	s.label = ""
	s.conn.plans.forget()
	s.settle()
}

// begin notes that a transaction has begun. A second one within it changes nothing.
func (s *session) begin(textual bool) {
	if s.phase == outside {
		s.phase, s.textual = within, textual
	}
	s.settle()
}

// lose notes that a transaction may have begun or ended in a way that was not understood.
func (s *session) lose() {
	s.phase = unclear
	s.settle()
}

// find asks the database whether there is a transaction, where nobody knows.
func (s *session) find(ctx context.Context) {
	t, ok := s.conn.cache.o.Dialect.(TransactionTeller)
	if s.phase != unclear || !ok {
		return
	}
	inside, err := t.InTransaction(ctx, s.conn.past())
	switch {
	case err != nil:
	case inside:
		s.phase, s.textual = within, true
		s.write(window{&s.conn.cache.tables.all}, true)
	default:
		s.end()
	}
}

// write notes what will have changed if the transaction is committed.
func (s *session) write(w window, all bool) {
	if s.written == nil {
		s.written = map[*table]struct{}{}
	}
	for _, t := range w {
		s.written[t] = struct{}{}
	}
	s.wroteAll = s.wroteAll || all
}

// hasOwnSchema reports whether the connection may see tables that others do not see.
func (s *session) hasOwnSchema() bool {
	return s.phase == unclear || s.phase == within && s.wroteAll
}

// writes returns what a commit would publish.
func (s *session) writes() window {
	if s.phase == unclear {
		return window{&s.conn.cache.tables.all}
	}
	return slices.Collect(maps.Keys(s.written))
}

// end notes that there is no transaction any more.
func (s *session) end() {
	s.watched.abandon()
	s.watched = nil
	s.phase, s.textual, s.written, s.wroteAll = outside, false, nil, false
	s.settle()
}

// leave notes that somebody uses the connection past the cache. When they have done with it nobody
// tells; it may be a listener that never does.
func (s *session) leave() {
	if s.outside {
		return
	}
	s.outside = true
	s.settle()
	all := window{&s.conn.cache.tables.all}
	all.open()
	closeOnce := sync.OnceFunc(all.close)
	late := time.AfterFunc(doubtTime, closeOnce)
	s.back = func() {
		late.Stop()
		closeOnce()
	}
}

// returned notes that the connection is used in the usual way again.
func (s *session) returned() {
	if s.outside {
		s.outside = false
		s.apply(SessionUnknown)
		s.lose()
		s.back()
		s.conn.cache.tables.all.bump()
	}
}
