// sentinel.go notices that somebody else has written, where the database tells one who asks.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
)

// sentinel asks over a connection of its own whether anybody has committed.
type sentinel struct {
	cache     *Cache
	versioner Versioner
	connector driver.Connector

	mu      sync.Mutex // guards the fields below, and is held while the database is asked
	conn    driver.Conn
	view    View // of conn, or of the last one
	last    int64
	known   bool   // last is what conn has said last
	asked   bool   // somebody has been answered by checkLocked
	writers int    // transactions and writes of our own that are under way
	commits int    // those of them that are just committing
	paused  int    // statements under way during which there must be no other connection
	before  uint64 // connections up to this number are to a database that is in its place no more
	closed  bool
}

// look forgets everything if somebody has committed since it was called last. It reports whether
// that is known: not while the database cannot be asked, nor for a connection that sees another one.
func (s *sentinel) look(ctx context.Context, number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.commits > 0 || !s.checkLocked(ctx) {
		return false
	}
	return number > s.before
}

// checkLocked is look for whoever may be writing.
func (s *sentinel) checkLocked(ctx context.Context) bool {
	was, knew, first := s.last, s.known, !s.asked
	if !s.askLocked(ctx) {
		return false
	}
	switch s.asked = true; {
	case first: // nothing is kept that it could be too late for
	case !knew:
		s.cache.tables.all.bump()
	case s.last != was:
		s.cache.tables.all.bump()
		s.cache.counters.heard.Add(1)
	}
	return true
}

// askLocked asks the database, unless that might disturb a transaction of our own.
func (s *sentinel) askLocked(ctx context.Context) bool {
	if s.closed || s.paused > 0 || s.writers > 0 && !s.view.Apart {
		return false
	}
	ctx = context.WithoutCancel(ctx) // a driver might break the connection off, and others need it
	if err := s.connectLocked(ctx); err != nil {
		s.cache.o.OnError(err)
		return false
	}
	version, err := s.versioner.Version(ctx, querier{conn: s.conn})
	if err != nil { // it may be locked; what was said before is still what counts
		v, ok := s.conn.(driver.Validator)
		if ok && !v.IsValid() || errors.Is(err, driver.ErrBadConn) {
			s.hangUpLocked()
		}
		return false
	}
	s.last, s.known = version, true
	return true
}

// connectLocked opens the connection, unless it is open and leads to where others get.
func (s *sentinel) connectLocked(ctx context.Context) (err error) {
	if s.conn != nil && !s.versioner.InPlace(s.view) {
		s.hangUpLocked()
		s.before = s.cache.conns.Load()
		s.cache.tables.all.bump()
	}
	if s.conn != nil {
		return nil
	}
	if s.conn, err = s.connector.Connect(ctx); err != nil {
		s.conn = nil
		return err
	}
	if s.view, err = s.versioner.Observe(ctx, querier{conn: s.conn}); err != nil {
		s.hangUpLocked()
	}
	return err
}

// hangUpLocked closes the connection. What others do until the next is open remains unknown.
func (s *sentinel) hangUpLocked() {
	if s.conn != nil {
		s.conn.Close()
	}
	s.conn, s.known = nil, false
}

// ask has somebody else ask over the connection. ok is false if that might disturb a transaction.
func (s *sentinel) ask(question func(Querier) error) (ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.view.Apart || s.closed || s.paused > 0 || s.connectLocked(noContext) != nil {
		return false, nil
	}
	return true, question(querier{conn: s.conn})
}

// enter is called before a transaction of our own begins, or a write by itself.
func (s *sentinel) enter(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checkLocked(ctx)
	s.writers++
}

// leave is called when it has ended without having written anything.
func (s *sentinel) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writers--
}

// committing is called before it may commit. If alone is set no other connection may be open.
func (s *sentinel) committing(alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits++
	if alone {
		s.paused++
		s.hangUpLocked()
	}
}

// committed is called when it has. Its commit is taken note of, since nobody needs to be told of it.
func (s *sentinel) committed(ctx context.Context, alone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits--
	s.writers--
	if alone {
		s.paused--
	}
	knew := s.known
	if s.known = s.askLocked(ctx); !s.known || !knew {
		s.cache.tables.all.bump()
	}
}

func (s *sentinel) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.hangUpLocked()
}

// others returns what the database says over c of the commits of others.
func (c *Conn) others(ctx context.Context) (int64, bool) {
	v, err := c.connector.sentinel.versioner.Version(context.WithoutCancel(ctx), c.past())
	return v, err == nil
}

// sentinel returns who asks whether others have written, nil if nobody needs to: the database does
// not tell, or it is this connection's own.
func (c *Conn) sentinel() *sentinel {
	if !c.session.keeps() {
		return nil
	}
	return c.connector.sentinel
}

// lost reports whether an error leaves open what the database has done, or is still doing.
func (c *Conn) lost(ctx context.Context, err error) bool {
	var answer interface{ SQLState() string }
	var network net.Error
	switch {
	case c.connector.sentinel != nil: // a library has ended when it returns
		return false
	case errors.As(err, &answer):
		state := answer.SQLState()
		return strings.HasPrefix(state, stateNoConnection) ||
			strings.HasPrefix(state, stateShutdown)
	}
	return ctx.Err() != nil || errors.Is(err, driver.ErrBadConn) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || !c.IsValid()
}

// How states of SQL begin that say that a server is lost, and not what has become of a statement.
const (
	stateNoConnection = "08"
	stateShutdown     = "57P0"
)
