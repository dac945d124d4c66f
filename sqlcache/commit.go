// commit.go sees to what a commit makes out of date.

package sqlcache

import (
	"context"
	"time"
)

// watched is a transaction, or a write by itself, during which others might write. They are noticed
// by what the database says of them over its own connection, before and after.
type watched struct {
	conn   *Conn
	before int64
	told   bool
}

// watch is called before a transaction begins, or a write by itself.
func (c *Conn) watch(ctx context.Context) *watched {
	s := c.sentinel()
	if s == nil {
		return nil
	}
	w := &watched{conn: c}
	w.before, w.told = c.others(ctx) // before the sentinel looks, so that there is no gap
	s.enter(ctx)
	return w
}

// abandon is called when it has ended without having written anything.
func (w *watched) abandon() {
	if w != nil {
		w.conn.connector.sentinel.leave()
	}
}

// commit is a change on its way: what a statement or a transaction has written.
type commit struct {
	conn    *Conn
	tables  window
	watched *watched
	alone   bool
}

// beginCommit is called before a change may happen. With alone no connection of the cache's own may
// be open meanwhile.
func (c *Conn) beginCommit(tables window, w *watched, alone bool) *commit {
	co := &commit{c, tables, w, alone}
	if w != nil {
		c.connector.sentinel.committing(alone)
	}
	tables.open()
	return co
}

// end is called when the change has happened, or, if err says so, perhaps not.
func (co *commit) end(ctx context.Context, err error) {
	co.conn.cache.counters.forgotten.Add(1)
	if w := co.watched; w != nil {
		co.conn.connector.sentinel.committed(ctx, co.alone)
		if after, ok := co.conn.others(ctx); !ok || !w.told || after != w.before {
			co.conn.cache.tables.all.bump()
		}
	}
	if err != nil && co.conn.lost(ctx, err) {
		co.tables.closeInDoubt(time.Now())
		return
	}
	co.tables.close()
}
