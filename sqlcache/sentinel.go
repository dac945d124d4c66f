// sentinel.go notices that somebody else has written, where the database tells one who asks.

package sqlcache

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// sentinel asks over a connection of its own whether anybody has committed.
type sentinel struct {
	cache     *Cache
	versioner Versioner
	connector driver.Connector
	writers   atomic.Int64 // commits of our own that absorb has not seen yet

	mu     sync.Mutex // guards the fields below
	conn   driver.Conn
	last   int64
	known  bool // last is what conn has said last
	closed bool
}

// look is check for a reader: while somebody of our own commits, a change is probably theirs.
func (s *sentinel) look(ctx context.Context) bool {
	return s.writers.Load() == 0 && s.check(ctx)
}

// check forgets everything if somebody has committed since the last look. It reports whether the
// database could be asked; if it could not, what is kept may be out of date.
func (s *sentinel) check(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, knew := s.last, s.known
	if !s.lookLocked(ctx) {
		s.cache.tables.all.bump()
		return false
	}
	if !knew || s.last != was {
		s.cache.tables.all.bump()
		if knew {
			s.cache.counters.heard.Add(1)
		}
	}
	return true
}

// absorb takes note of a commit of our own, which nobody needs to be told of.
func (s *sentinel) absorb(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if knew := s.known; !s.lookLocked(ctx) || !knew {
		s.cache.tables.all.bump()
	}
}

// lookLocked asks the database. After an error it does so over another connection the next time.
func (s *sentinel) lookLocked(ctx context.Context) bool {
	if s.closed {
		return false
	}
	ctx = context.WithoutCancel(ctx) // a driver might break the connection off, and others need it
	if err := s.connectLocked(ctx); err != nil {
		s.cache.o.OnError(err)
		return false
	}
	version, err := s.versioner.Version(ctx, querier{s.conn})
	if err != nil {
		s.cache.o.OnError(err)
		s.conn.Close()
		s.conn, s.known = nil, false
		return false
	}
	s.last, s.known = version, true
	return true
}

// connectLocked opens the connection, unless it is open.
func (s *sentinel) connectLocked(ctx context.Context) (err error) {
	if s.conn == nil {
		s.conn, err = s.connector.Connect(ctx)
	}
	return err
}

// ask has somebody else ask over the connection.
func (s *sentinel) ask(ctx context.Context, question func(Querier) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return driver.ErrBadConn
	}
	if err := s.connectLocked(ctx); err != nil {
		return err
	}
	return question(querier{s.conn})
}

func (s *sentinel) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.known = true, false
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
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
	if errors.Is(err, driver.ErrBadConn) {
		return false // by its contract the database has done nothing
	}
	var network net.Error
	return ctx.Err() != nil || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || !c.IsValid()
}
