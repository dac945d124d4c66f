// tables.go counts the changes of tables: a result is valid as long as none of its tables has one
// more.

package sqlcache

import (
	"sync"
	"sync/atomic"
	"time"
)

// table counts the changes of a table.
type table struct {
	changes atomic.Uint64
	writers atomic.Int64 // commits on their way: whether they have happened nobody knows
	doubt   atomic.Int64 // until then one may still happen of which we have lost sight, in Unix ns
}

// bump says that the table has changed: all that was read from it, or is being read, is out of date.
func (t *table) bump() { t.changes.Add(1) }

// quiet reports whether nobody is changing the table.
func (t *table) quiet(now time.Time) bool {
	return t.writers.Load() == 0 && t.doubt.Load() < now.UnixNano()
}

// tables are those that a statement has named.
type tables struct {
	all table // changes with every change of which the tables are not known

	mu   sync.RWMutex // guards the field below
	some map[string]*table
}

func newTables() *tables { return &tables{some: map[string]*table{}} }

// mostTables is how many tables are told apart; the others share one count.
const mostTables = 1 << 16

// get returns the table of that name.
func (t *tables) get(name string) *table {
	t.mu.RLock()
	found := t.some[name]
	t.mu.RUnlock()
	if found != nil {
		return found
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.some) >= mostTables {
		name = ""
	}
	if t.some[name] == nil {
		t.some[name] = &table{}
	}
	return t.some[name]
}

// of returns the tables of those names.
func (t *tables) of(names []string) []*table {
	found := make([]*table, len(names))
	for i, name := range names {
		found[i] = t.get(name)
	}
	return found
}

// mark is how often a table had changed when somebody looked.
type mark struct {
	table   *table
	changes uint64
}

// markAll looks at tables. If one is being changed it returns false.
func markAll(all []*table, now time.Time) ([]mark, bool) {
	marks := make([]mark, len(all))
	for i, t := range all {
		marks[i] = mark{t, t.changes.Load()}
		if !t.quiet(now) {
			return nil, false
		}
	}
	return marks, true
}

// hold reports whether the tables are as they were when they were marked.
func hold(marks []mark, now time.Time) bool {
	for _, m := range marks {
		if m.table.changes.Load() != m.changes || !m.table.quiet(now) {
			return false
		}
	}
	return true
}

// window is the time in which a commit happens. Meanwhile nothing is served from its tables, and
// what is read from them is not kept: before the commit and after it are both possible.
type window []*table

// open begins the window.
func (w window) open() {
	for _, t := range w {
		t.writers.Add(1)
		t.bump()
	}
}

// close ends the window; the commit has happened, or never will.
func (w window) close() {
	for _, t := range w {
		t.bump()
		t.writers.Add(-1)
	}
}

// doubtTime is how long a commit may take of which the connection was lost on the way. The server
// may still be at it.
const doubtTime = 30 * time.Second

// closeInDoubt ends the window of a commit of which nobody knows whether it will still happen.
func (w window) closeInDoubt(now time.Time) {
	for _, t := range w {
		t.doubt.Store(now.Add(doubtTime).UnixNano())
	}
	w.close()
}
