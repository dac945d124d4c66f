// session.go follows what a connection has become, and its transaction.

package sqlcache

import (
	"context"
	"fmt"
	"time"
)

// session is the state of a connection. Like its connection it is used by one goroutine at a time.
type session struct {
	conn *Conn

	name     string // what results over it depend on; "": they must not be kept
	label    string // what identity returns; "": it has to be made anew
	known    bool   // name has been asked for
	unknown  bool   // it may be in a state that no name tells
	outside  bool   // somebody uses the connection past the cache
	changes  uint64 // how often it may have changed
	inside   bool   // of a transaction
	written  map[*table]struct{}
	wroteAll bool // in the transaction
}

// identity returns what results depend on, or, if they must not be kept, a name that no other
// connection has.
func (s *session) identity(ctx context.Context) string {
	if !s.known && !s.unknown && !s.inside { // a question might be the first of the transaction
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
	if s.changes == 0 {
		s.conn.connector.learn(name)
	}
	if s.label = ""; name != "" {
		s.label = s.conn.connector.name + name
	}
}

// keeps reports whether results over the connection may be kept.
func (s *session) keeps() bool { return s.known && !s.unknown && s.name != "" }

// isPlain reports whether the connection is as all others of its connector are.
func (s *session) isPlain() bool {
	n := s.conn.connector
	return s.keeps() && s.name == *n.plain.Load() && !n.varied.Load()
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
}

// begin notes that a transaction has begun.
func (s *session) begin() { s.inside, s.written, s.wroteAll = true, nil, false }

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

// hasChangedSchema reports whether the transaction sees tables that others do not see.
func (s *session) hasChangedSchema() bool { return s.inside && s.wroteAll }

// end ends the transaction and returns what it has written.
func (s *session) end() window {
	var w window
	for t := range s.written {
		w = append(w, t)
	}
	s.inside, s.written, s.wroteAll = false, nil, false
	return w
}

// returned notes that somebody has used the connection past the cache.
func (s *session) returned() {
	if s.outside {
		s.outside = false
		s.apply(SessionUnknown)
		s.conn.cache.tables.all.bump()
	}
}

// commit is a change on its way: what a statement or a transaction has written.
type commit struct {
	conn     *Conn
	tables   window
	sentinel *sentinel // nil: the database does not tell of other writers
	before   int64     // what it told of them
	told     bool
}

// beginCommit is called before a change may happen.
func (c *Conn) beginCommit(ctx context.Context, w window) *commit {
	if len(w) == 0 {
		return nil
	}
	co := &commit{conn: c, tables: w}
	if s := c.sentinel(); s != nil {
		co.sentinel = s
		s.writers.Add(1)
		co.before, co.told = c.others(ctx)
		s.check(ctx)
	}
	w.open()
	return co
}

// end is called when the change has happened, or, if err says so, perhaps not.
func (co *commit) end(ctx context.Context, err error) {
	if co == nil {
		return
	}
	co.conn.cache.counters.forgotten.Add(1)
	if s := co.sentinel; s != nil {
		s.absorb(ctx)
		s.writers.Add(-1)
		if after, ok := co.conn.others(ctx); !ok || !co.told || after != co.before {
			co.conn.cache.tables.all.bump()
		}
	}
	if err != nil && co.conn.lost(ctx, err) {
		co.tables.closeInDoubt(time.Now())
		return
	}
	co.tables.close()
}
