// clock.go judges what is converted to a time: a text could say 'now'.

package postgres

import "slices"

// passing are functions that return one of their arguments.
var passing = []string{"min", "max"}

// arithmetic are operators that make no text.
var arithmetic = []string{"+", "-", "*", "/"}

// timeless are types, as the parser writes them, that hold no text.
var timeless = []string{
	"date", "timestamp", "timestamptz", "time", "interval", "int2", "int4", "int8", "numeric",
	"float4", "float8", "bool",
}

// guard notes what has to hold so that a node is no text but a literal or a parameter.
func (c *cast) guard(node any) {
	kind, n := kindOf(node)
	switch kind {
	case "A_Const", "ParamRef":
	case "ColumnRef":
		c.need(column, qualified(n["fields"]).name)
	case "TypeCast":
		c.guardType(qualified(typeNames(n)))
	case "FuncCall":
		c.guardCall(n)
	case "A_Expr":
		c.guardOperator(n)
	case "CoalesceExpr", "MinMaxExpr":
		c.guardAll(list(n["args"]))
	default:
		c.blind = true
	}
}

func (c *cast) need(kind guardKind, name string) {
	c.guards = append(c.guards, guard{kind, name})
}

func (c *cast) guardAll(nodes []any) {
	for _, node := range nodes {
		c.guard(node)
	}
}

// guardType requires that a type is none of text. That its name means the type of PostgreSQL is
// seen when the conversion to it is judged.
func (c *cast) guardType(t name) {
	if t.schema != "" && t.schema != "pg_catalog" || !slices.Contains(timeless, t.name) {
		c.blind = true
	}
}

func (c *cast) guardCall(n fields) {
	f := qualified(n["funcname"])
	if slices.Contains(passing, f.name) {
		c.guardAll(list(n["args"]))
		return
	}
	c.need(function, f.name)
}

func (c *cast) guardOperator(n fields) {
	op := qualified(n["name"])
	if text(n["kind"]) != "AEXPR_OP" || op.schema != "" || !slices.Contains(arithmetic, op.name) {
		c.blind = true
		return
	}
	c.need(operator, op.name)
}

// isBlind reports whether text may be converted after all.
func (s *survey) isBlind(c cast) bool {
	return c.blind || slices.ContainsFunc(c.guards, func(g guard) bool { return !s.holds(g) })
}

// holds reports whether a guard makes no text.
func (s *survey) holds(g guard) bool {
	switch g.kind {
	case column:
		return s.timeColumns[g.name] && !s.textColumns[g.name] && !s.facts.aliases[g.name]
	case function:
		return !s.textFunctions[g.name]
	}
	return !s.ownOperators[g.name]
}
