// grammar.go lists what a statement may be made of: kinds of nodes and their fields.

package postgres

import (
	"strings"
	"sync"
)

// allowed lists the kinds of nodes that are understood, each with its fields. A field that holds
// the fields of a node without saying its kind says it here, after a colon. What is not listed is
// not understood: a later PostgreSQL may mean anything by it.
const allowed = `
SelectStmt withClause:WithClause distinctClause targetList fromClause whereClause groupClause
	groupDistinct havingClause windowClause valuesLists sortClause limitOffset limitCount limitOption
	op all larg:SelectStmt rarg:SelectStmt intoClause:IntoClause lockingClause
InsertStmt withClause:WithClause relation:RangeVar cols selectStmt
	onConflictClause:OnConflictClause returningList override
UpdateStmt withClause:WithClause relation:RangeVar targetList fromClause whereClause returningList
DeleteStmt withClause:WithClause relation:RangeVar usingClause whereClause returningList
MergeStmt withClause:WithClause relation:RangeVar sourceRelation joinCondition mergeWhenClauses
	returningList
MergeWhenClause matchKind commandType override condition targetList values
OnConflictClause action infer:InferClause targetList whereClause
InferClause indexElems whereClause conname
IndexElem name expr collation ordering nulls_ordering
WithClause ctes recursive
CommonTableExpr ctename aliascolnames ctematerialized ctequery
RangeVar schemaname relname inh relpersistence alias:Alias
Alias aliasname colnames
RangeSubselect lateral subquery alias:Alias
RangeFunction lateral ordinality is_rowsfrom functions alias:Alias coldeflist
ColumnDef colname typeName:TypeName is_local collClause:CollateClause
JoinExpr jointype isNatural larg rarg usingClause join_using_alias:Alias quals alias:Alias
ResTarget name indirection val
MultiAssignRef source colno ncolumns
SetToDefault
ColumnRef fields
ParamRef number
A_Const ival fval sval boolval bsval isnull
A_Expr kind name lexpr rexpr
A_Star
A_Indices is_slice lidx uidx
A_Indirection arg indirection
A_ArrayExpr elements
BoolExpr boolop args
NullTest arg nulltesttype
BooleanTest arg booltesttype
CaseExpr arg args defresult
CaseWhen expr result
CoalesceExpr args
MinMaxExpr op args
RowExpr args row_format colnames
SubLink subLinkType testexpr operName subselect
TypeCast arg typeName:TypeName
TypeName names typmods typemod arrayBounds
CollateClause arg collname
FuncCall funcname args agg_order agg_filter over:WindowDef agg_within_group agg_star agg_distinct
	func_variadic funcformat
NamedArgExpr arg name
WindowDef name refname partitionClause orderClause frameOptions startOffset endOffset
SortBy node sortby_dir sortby_nulls useOp
GroupingSet kind content
GroupingFunc args
SQLValueFunction op typmod
List items
String sval
Integer ival
`

// refused are the kinds of nodes that change nothing but make a result that is not kept.
var refused = map[string]string{
	"RangeTableSample":          "TABLESAMPLE takes rows by chance",
	"RangeTableFunc":            "XMLTABLE reads values as any type",
	"XmlExpr":                   "XML is read as the session's options say",
	"XmlSerialize":              "XML is written as the session's options say",
	"CurrentOfExpr":             "CURRENT OF depends on a cursor",
	"CTESearchClause":           "SEARCH is not looked into",
	"CTECycleClause":            "CYCLE is not looked into",
	"JsonTable":                 "JSON_TABLE reads values as any type",
	"JsonFuncExpr":              "a JSON query reads values as any type",
	"JsonIsPredicate":           "IS JSON is not looked into",
	"JsonParseExpr":             "JSON() is not looked into",
	"JsonScalarExpr":            "JSON_SCALAR is not looked into",
	"JsonSerializeExpr":         "JSON_SERIALIZE is not looked into",
	"JsonObjectConstructor":     "JSON_OBJECT is not looked into",
	"JsonArrayConstructor":      "JSON_ARRAY is not looked into",
	"JsonArrayQueryConstructor": "JSON_ARRAY is not looked into",
	"JsonObjectAgg":             "JSON_OBJECTAGG is not looked into",
	"JsonArrayAgg":              "JSON_ARRAYAGG is not looked into",
}

// field is a field of a kind of nodes.
type field struct {
	name string
	kind string // of the node in it; "": the node says it, or it holds none
}

// grammar returns the fields of each kind, in the order in which they are to be read.
var grammar = sync.OnceValue(func() map[string][]field {
	g := map[string][]field{}
	kind := ""
	for line := range strings.Lines(allowed) {
		words := strings.Fields(line)
		if len(words) > 0 && line[0] != '\t' {
			kind, words = words[0], words[1:]
			g[kind] = nil
		}
		for _, w := range words {
			name, of, _ := strings.Cut(w, ":")
			g[kind] = append(g[kind], field{name, of})
		}
	}
	return g
})
