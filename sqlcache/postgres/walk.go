// walk.go reads a tree: which tables, functions, operators and types it names, and what in it keeps
// its result from being kept.

package postgres

import (
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/sqlcache"
)

// walker reads a tree into facts.
type walker struct {
	*facts
	ctes   []string // names of queries in the WITH clauses around
	policy bool     // whether this is a policy, which may ask who asks
	inner  bool     // whether this is a view
	uses   []use    // what is done with the tables of a view
}

// walk reads the tree of a statement.
func (f *facts) walk(node any) { (&walker{facts: f}).visit(node) }

// visit reads a node, or all of a list.
func (w *walker) visit(v any) {
	if l, ok := v.([]any); ok {
		for _, node := range l {
			w.visit(node)
		}
		return
	}
	if kind, n := kindOf(v); kind != "" {
		w.node(kind, n)
	}
}

// node reads a node of a kind, in the scope of its WITH clause.
func (w *walker) node(kind string, n fields) {
	known, ok := grammar()[kind]
	if !ok {
		w.strange(kind, n)
		return
	}
	outside := slices.Clip(w.ctes)
	w.note(kind, n)
	w.fields(kind, n, known)
	switch kind {
	case "WithClause": // known to the statement that it belongs to
	case "CommonTableExpr": // known to those after it
		w.ctes = append(outside, text(n["ctename"]))
	default:
		w.ctes = outside
	}
}

// fields reads the fields of a node.
func (w *walker) fields(kind string, n fields, known []field) {
	unread := maps.Clone(n)
	delete(unread, "location")
	for _, f := range known {
		if f.kind != "" && n[f.name] != nil {
			inner, _ := n[f.name].(fields)
			w.node(f.kind, inner)
		} else {
			w.visit(n[f.name])
		}
		delete(unread, f.name)
	}
	for _, name := range sortedKeys(unread) {
		w.strangeField(kind, name, unread[name])
	}
}

// strange reads a node that is on no list of what may be kept.
func (w *walker) strange(kind string, n fields) {
	switch why, ok := refused[kind]; {
	case kind == "LockingClause":
		w.refuse("%s locks rows", locking(text(n["strength"])))
		return // it names tables by their aliases
	case kind == "IntoClause":
		w.noteInto()
		return
	case ok:
		w.refuse("%s", why)
	default:
		w.unknown("%s is not known", kind)
	}
	for _, name := range sortedKeys(n) {
		w.inside(n[name])
	}
}

// strangeField reads a field that is on no list of what may be kept.
func (w *walker) strangeField(kind, name string, v any) {
	switch {
	case kind == "CommonTableExpr" && (name == "search_clause" || name == "cycle_clause"):
		w.refuse("SEARCH and CYCLE are not looked into")
	case kind == "RangeVar" && name == "catalogname":
		w.refuse("names another database")
	default:
		w.unknown("%s of %s is not known", name, kind)
	}
	w.inside(v)
}

// inside reads all nodes below something that is not understood.
func (w *walker) inside(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			w.inside(e)
		}
	case fields:
		if kind, n := kindOf(v); kind != "" {
			w.node(kind, n)
			return
		}
		for _, name := range sortedKeys(v) {
			w.inside(v[name])
		}
	}
}

// note notes what a node says by itself.
func (w *walker) note(kind string, n fields) {
	switch kind {
	case "WithClause":
		w.noteWith(n)
	case "CommonTableExpr":
		w.alias(names(n["aliascolnames"])...)
	case "RangeVar":
		w.noteTable(n)
	case "InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt":
		w.noteWrite(kind, n)
	case "Alias":
		w.alias(text(n["aliasname"]))
		w.alias(names(n["colnames"])...)
	case "ResTarget":
		w.alias(text(n["name"]))
	case "ColumnDef":
		w.cast(cast{to: qualified(typeNames(n)), blind: true})
	default:
		w.noteExpression(kind, n)
	}
}

// noteExpression notes what a part of an expression says by itself.
func (w *walker) noteExpression(kind string, n fields) {
	switch kind {
	case "ColumnRef":
		w.noteColumn(n)
	case "A_Indirection":
		w.noteMembers(names(n["indirection"]))
	case "A_Const":
		w.noteLiteral(n)
	case "A_Expr":
		w.operator(n["name"])
	case "SubLink":
		w.operator(n["operName"])
	case "SortBy":
		w.operator(n["useOp"])
	case "FuncCall":
		w.noteCall(n)
	case "TypeCast":
		w.noteCast(n)
	case "SQLValueFunction":
		w.noteValue(text(n["op"]))
	}
}

// noteWith makes all queries of a recursive WITH known to each other; others know those before.
func (w *walker) noteWith(n fields) {
	if recursive, _ := n["recursive"].(bool); !recursive {
		return
	}
	for _, node := range list(n["ctes"]) {
		_, cte := kindOf(node)
		w.ctes = append(w.ctes, text(cte["ctename"]))
	}
}

// noteTable notes a table that is read. What a statement writes is read as well, without harm.
func (w *walker) noteTable(n fields) {
	t := relationOf(n)
	if t.schema == "" && slices.Contains(w.ctes, t.name) {
		return
	}
	if text(n["relpersistence"]) == "t" || t.schema == "pg_temp" {
		w.refuse("reads the temporary table %s", t.name)
	}
	t.inner = w.inner
	w.use(t, reads)
	for _, u := range w.uses {
		w.use(t, u)
	}
}

// noteWrite notes the table that a statement writes. No query of a WITH clause can be written.
func (w *walker) noteWrite(kind string, n fields) {
	w.plain = true
	t := relationOf(n["relation"])
	switch kind {
	case "InsertStmt":
		w.use(t, inserts)
		conflict, _ := n["onConflictClause"].(fields)
		if text(conflict["action"]) == "ONCONFLICT_UPDATE" {
			w.use(t, updates)
		}
	case "UpdateStmt":
		w.use(t, updates)
	case "DeleteStmt":
		w.use(t, deletes)
	default:
		w.use(t, inserts)
		w.use(t, updates)
		w.use(t, deletes)
	}
}

// noteInto notes that a SELECT makes a table.
func (w *walker) noteInto() {
	w.refuse("SELECT INTO makes a table")
	w.all = true
	w.changes(sqlcache.SessionChanged)
}

// noteColumn notes what a column is called: with a table before it, it may be a function of a row.
func (w *walker) noteColumn(n fields) {
	parts := names(n["fields"])
	if len(parts) == 0 {
		return
	}
	if last := parts[len(parts)-1]; slices.Contains(systemColumns, last) {
		w.refuse("%s says where a row is now", last)
	}
	w.noteMembers(parts[1:])
}

// systemColumns change with every version of a row, and when files are rewritten.
var systemColumns = []string{"ctid", "xmin", "xmax", "cmin", "cmax"}

func (w *walker) noteMembers(parts []string) {
	for _, part := range parts {
		if part != "" {
			w.members[part] = true
		}
	}
}

// noteLiteral notes a literal that may be a time that moves.
func (w *walker) noteLiteral(n fields) {
	s, _ := n["sval"].(fields)
	if word := clockWord(text(s["sval"])); word != "" {
		w.refuse("the literal with %q may mean the time", word)
	}
}

// clockWords are what PostgreSQL reads as times that move.
var clockWords = []string{"now", "today", "tomorrow", "yesterday"}

// clockWord returns one of them if it is a word of s, else "".
func clockWord(s string) string {
	letters := func(c rune) bool { return (c|0x20) < 'a' || (c|0x20) > 'z' }
	for word := range strings.FieldsFuncSeq(s, letters) {
		if lower := strings.ToLower(word); slices.Contains(clockWords, lower) {
			return lower
		}
	}
	return ""
}

// operator notes the name of an operator.
func (w *walker) operator(v any) {
	if n := qualified(v); n.name != "" {
		w.operators[n] = true
	}
}

// noteCall notes a call, which may be a conversion to the type of that name.
func (w *walker) noteCall(n fields) {
	f, args := qualified(n["funcname"]), list(n["args"])
	w.functions[f] = true
	w.alias(f.name)
	if len(args) == 1 {
		c := cast{to: f, maybe: true}
		c.guard(args[0])
		w.cast(c)
	}
}

// noteCast notes a conversion.
func (w *walker) noteCast(n fields) {
	to := qualified(typeNames(n))
	w.alias(to.name)
	c := cast{to: to}
	c.guard(n["arg"])
	w.cast(c)
}

func (w *walker) cast(c cast) { w.casts = append(w.casts, c) }

// alias notes names that a column may have without being of a table.
func (w *walker) alias(all ...string) {
	for _, a := range all {
		w.aliases[a] = true
	}
}

// noteValue notes what is neither constant nor of a table. A policy may ask for the role, which is
// in the identity of the connection.
func (w *walker) noteValue(op string) {
	op = strings.TrimSuffix(strings.TrimPrefix(op, "SVFOP_"), "_N")
	switch op {
	case "CURRENT_USER", "CURRENT_ROLE", "SESSION_USER", "USER":
		if !w.policy {
			w.refuse("%s depends on the session", op)
		}
	case "CURRENT_CATALOG", "CURRENT_SCHEMA":
		w.refuse("%s depends on the session", op)
	default:
		w.refuse("%s reads the clock", op)
	}
}

// locking returns how the strength of a lock is written.
func locking(strength string) string {
	switch strength {
	case "LCS_FORSHARE":
		return "FOR SHARE"
	case "LCS_FORKEYSHARE":
		return "FOR KEY SHARE"
	case "LCS_FORNOKEYUPDATE":
		return "FOR NO KEY UPDATE"
	}
	return "FOR UPDATE"
}

// typeNames returns the names in the type of a node.
func typeNames(n fields) any {
	t, _ := n["typeName"].(fields)
	return t["names"]
}
