// statement.go says what kinds of statements do.

package postgres

import (
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/sqlcache"
)

// statements notes what the statements of a text do.
func (f *facts) statements(all []any) {
	if len(all) == 0 {
		f.refuse("is empty")
	}
	for _, s := range all {
		f.statement(s)
	}
	if len(all) > 1 {
		f.refuse("is several statements")
		if f.tx != sqlcache.NoTransaction {
			f.tx = sqlcache.NoTransaction
			f.unknown("begins or ends a transaction among other statements")
		}
	}
}

// quietStatements do nothing that a cache has to know.
var quietStatements = []string{
	"VariableShowStmt", "ListenStmt", "UnlistenStmt", "NotifyStmt", "ClosePortalStmt",
	"DeallocateStmt", "PrepareStmt", "CheckPointStmt", "ConstraintsSetStmt",
}

// opaqueStatements run what their text does not tell.
var opaqueStatements = []string{
	"DoStmt", "CallStmt", "ExecuteStmt", "LoadStmt", "AlterSystemStmt", "CreateExtensionStmt",
	"AlterExtensionStmt",
}

// statement notes what a statement does.
func (f *facts) statement(node any) {
	kind, n := kindOf(node)
	switch {
	case slices.Contains([]string{"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}, kind):
		f.plain = true
		f.walk(node)
	case kind == "SelectStmt":
		f.walk(node)
	case slices.Contains(quietStatements, kind):
		f.plain = true
	case slices.Contains(opaqueStatements, kind):
		f.unknown("%s runs what its text does not tell", words(kind))
	default:
		f.utility(kind, n)
	}
}

// utility notes what a statement does that neither reads nor writes rows by itself.
func (f *facts) utility(kind string, n fields) {
	f.plain = true
	switch kind {
	case "TransactionStmt":
		f.transaction(n)
	case "VariableSetStmt":
		f.setting(n)
	case "DiscardStmt":
		f.changes(sqlcache.SessionChanged)
	case "LockStmt":
		f.refuse("locks tables")
	case "TruncateStmt":
		f.truncate(n)
	case "CopyStmt":
		f.copyTable(n)
	case "ExplainStmt":
		f.explain(n)
	case "DeclareCursorStmt":
		f.walk(n["query"])
		f.refuse("makes a cursor")
	case "FetchStmt":
		f.all = true // the functions that the cursor calls are called now
		f.refuse("fetches from a cursor")
	case "RefreshMatViewStmt":
		f.use(relationOf(n["relation"]), updates)
	case "CreateStmt", "CreateTableAsStmt":
		f.create(n)
	default:
		f.all = true // the schema, settings of roles, files of tables
		f.changes(sqlcache.SessionChanged)
		f.refuse("%s changes more than rows", words(kind))
	}
}

// create notes what it does to make a table. A temporary one is nobody else's.
func (f *facts) create(n fields) {
	into, _ := n["into"].(fields)
	for _, of := range []any{n["relation"], into["rel"]} {
		relation, _ := of.(fields)
		if text(relation["relpersistence"]) == "t" && n["inhRelations"] == nil {
			f.changes(sqlcache.SessionChanged)
			f.refuse("makes a temporary table")
			f.walk(n["query"])
			return
		}
	}
	f.all = true
	f.changes(sqlcache.SessionChanged)
	f.refuse("makes a table")
}

// transaction notes what the text of a statement does to the transaction. What ends one takes back
// what SET did in it.
func (f *facts) transaction(n fields) {
	chain, _ := n["chain"].(bool)
	switch kind := text(n["kind"]); {
	case chain:
		f.unknown("ends a transaction and begins one")
	case kind == "TRANS_STMT_BEGIN", kind == "TRANS_STMT_START":
		f.tx = sqlcache.Begin
	case kind == "TRANS_STMT_COMMIT":
		f.tx = sqlcache.Commit
		f.changes(sqlcache.SessionChanged)
	case kind == "TRANS_STMT_ROLLBACK":
		f.tx = sqlcache.Rollback
		f.changes(sqlcache.SessionChanged)
	case kind == "TRANS_STMT_ROLLBACK_TO":
		f.changes(sqlcache.SessionChanged)
	case kind == "TRANS_STMT_SAVEPOINT", kind == "TRANS_STMT_RELEASE":
	default:
		f.unknown("takes part in a transaction of two phases")
	}
}

// setting notes what SET and RESET do.
func (f *facts) setting(n fields) {
	if strings.ToLower(text(n["name"])) != "transaction" {
		f.changes(sqlcache.SessionChanged)
	}
}

func (f *facts) truncate(n fields) {
	u := truncates
	if text(n["behavior"]) == "DROP_CASCADE" {
		u = truncates2
	}
	for _, r := range list(n["relations"]) {
		_, relation := kindOf(r)
		f.use(relationOf(relation), u)
	}
}

// copyTable notes what COPY does.
func (f *facts) copyTable(n fields) {
	program, _ := n["is_program"].(bool)
	from, _ := n["is_from"].(bool)
	switch {
	case program:
		f.anything("runs a program")
	case from:
		f.use(relationOf(n["relation"]), inserts)
		f.walk(n["whereClause"])
	case n["query"] != nil:
		f.walk(n["query"])
		f.refuse("copies rows out")
	default:
		f.refuse("copies rows out")
		if n["relation"] != nil {
			f.use(relationOf(n["relation"]), reads) // policies may call functions
		}
	}
}

// explain notes what EXPLAIN does: with ANALYZE what its statement does, else nothing but to call
// functions that are thought to be harmless.
func (f *facts) explain(n fields) {
	f.refuse("EXPLAIN shows a plan")
	f.statement(n["query"])
	f.plain = true
}

// words returns how a kind of statements is written: "ALTER TABLE".
func words(kind string) string {
	var b strings.Builder
	for i, c := range strings.TrimSuffix(kind, "Stmt") {
		if i > 0 && c >= 'A' && c <= 'Z' {
			b.WriteByte(' ')
		}
		b.WriteRune(c)
	}
	return strings.ToUpper(b.String())
}

// kindOf returns what a node is, and its fields; "" if it is none.
func kindOf(node any) (string, fields) {
	m, _ := node.(fields)
	if len(m) != 1 {
		return "", nil
	}
	for kind, n := range m {
		if kind[0] >= 'A' && kind[0] <= 'Z' {
			n, _ := n.(fields)
			return kind, n
		}
	}
	return "", nil
}

// text returns a field that is one, else "".
func text(v any) string {
	s, _ := v.(string)
	return s
}

// list returns a field that is one, else nil.
func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// names returns the strings of a list of nodes; what is no String is "".
func names(v any) (all []string) {
	for _, node := range list(v) {
		_, n := kindOf(node)
		all = append(all, text(n["sval"]))
	}
	return all
}

// qualified returns the name that a list of nodes spells.
func qualified(v any) name {
	parts := names(v)
	switch len(parts) {
	case 0:
		return name{}
	case 1:
		return name{name: parts[0]}
	}
	return name{schema: parts[len(parts)-2], name: parts[len(parts)-1]}
}

// relationOf returns the name of a table by the fields of its RangeVar.
func relationOf(v any) name {
	n, _ := v.(fields)
	if text(n["catalogname"]) != "" {
		return name{schema: text(n["catalogname"])} // nothing is called that
	}
	return name{schema: text(n["schemaname"]), name: text(n["relname"])}
}

// sortedKeys returns the keys of m in order.
func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
