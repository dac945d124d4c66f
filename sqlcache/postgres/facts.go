// facts.go holds what is known of a statement, and says what follows from it.

package postgres

import (
	"fmt"
	"maps"
	"slices"

	"github.com/larder-go/larder/sqlcache"
)

// use says what a statement does with a table. The letters are those that the catalog is asked by.
type use string

const (
	reads      use = ""
	inserts    use = "i"
	updates    use = "u"
	deletes    use = "d"
	truncates  use = "t"
	truncates2 use = "c" // with all tables that refer to it
)

// name is that of a table, function, operator or type. Without a schema it is looked for where the
// session says.
type name struct {
	schema, name string
	inner        bool // of a table in a view
}

func (n name) String() string {
	if n.schema == "" {
		return n.name
	}
	return n.schema + "." + n.name
}

// cast is a conversion to a type.
type cast struct {
	to     name
	guards []guard // what makes it harmless to take a time
	blind  bool    // anything may be converted
	maybe  bool    // it may be the call of a function instead
}

// guard is something that makes no text.
type guard struct {
	kind guardKind
	name string
}

type guardKind uint8

const (
	column guardKind = iota
	function
	operator
)

// facts are what is known of a statement.
type facts struct {
	reason  string // why its result is not kept; "": there is no reason yet
	all     bool   // it may write anything
	session sqlcache.Session
	tx      sqlcache.Transaction
	unclear bool // it may begin or end a transaction in a way that is not understood
	plain   bool // it is no read, so that nobody asks for a reason

	relations map[name][]use
	functions map[name]bool
	members   map[string]bool // what is called like a column, and may be a function of a row
	operators map[name]bool
	casts     []cast
	aliases   map[string]bool // names of columns that no table has

	reads, writes map[string]bool // tables, as the catalog calls them
}

func newFacts() *facts {
	return &facts{
		relations: map[name][]use{}, functions: map[name]bool{}, members: map[string]bool{},
		operators: map[name]bool{}, aliases: map[string]bool{},
		reads: map[string]bool{}, writes: map[string]bool{},
	}
}

// refuse notes why the result is not kept. The first reason stays.
func (f *facts) refuse(format string, args ...any) {
	if f.reason == "" {
		f.reason = fmt.Sprintf(format, args...)
	}
}

// anything notes that the statement may change any table and any setting, and why. That is no more
// than the identity tells: settings that it does not list are read by functions alone, of which no
// result is kept.
func (f *facts) anything(format string, args ...any) {
	f.refuse(format, args...)
	f.all = true
	f.changes(sqlcache.SessionChanged)
}

// unknown notes that the statement may do anything, which may also be to begin or end a transaction,
// and why.
func (f *facts) unknown(format string, args ...any) {
	f.anything(format, args...)
	f.unclear = true
}

// changes notes that the session becomes another.
func (f *facts) changes(s sqlcache.Session) { f.session = max(f.session, s) }

// use notes that a table is used.
func (f *facts) use(n name, u use) {
	if !slices.Contains(f.relations[n], u) {
		f.relations[n] = append(f.relations[n], u)
	}
}

// needsCatalog reports whether the catalog has to be asked.
func (f *facts) needsCatalog() bool {
	return len(f.relations)+len(f.functions)+len(f.operators)+len(f.casts)+len(f.members) > 0
}

// effect returns what follows.
func (f *facts) effect() sqlcache.Effect {
	e := sqlcache.Effect{
		Reason: f.reason, WritesAll: f.all, Session: f.session, Transaction: f.tx,
		Reads: slices.Sorted(maps.Keys(f.reads)), Writes: slices.Sorted(maps.Keys(f.writes)),
	}
	if f.unclear {
		e.Transaction = sqlcache.Unclear
	}
	quiet := !e.WritesAll && len(e.Writes) == 0 && e.Session == 0 && e.Transaction == 0
	e.Cacheable = !f.plain && e.Reason == "" && quiet
	if len(e.Writes) > 0 && !e.WritesAll {
		e.Reason = "" // nobody would ask
	}
	return e
}
