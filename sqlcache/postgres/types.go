// types.go judges conversions.

package postgres

import "slices"

// verdict says what is to be thought of conversions to a type.
type verdict uint8

const (
	harmless verdict = iota + 1 // the result depends on what is converted, and on settings
	timely                      // unless that is text
	strange                     // it depends on more
)

// harmlessTypes of PostgreSQL convert what they get and look at nothing but settings.
var harmlessTypes = []string{
	"bool", "int2", "int4", "int8", "numeric", "float4", "float8", "money", "oid",
	"text", "varchar", "bpchar", "char", "name", "bytea", "bit", "varbit", "uuid",
	"json", "jsonb", "jsonpath", "xml", "time", "interval",
	"inet", "cidr", "macaddr", "macaddr8", "tsvector", "tsquery",
	"point", "line", "lseg", "box", "path", "polygon", "circle",
	"int4range", "int8range", "numrange", "int4multirange", "int8multirange", "nummultirange",
}

// timelyTypes read 'now' and 'today' in a text.
var timelyTypes = []string{
	"date", "timestamp", "timestamptz", "daterange", "tsrange", "tstzrange",
	"datemultirange", "tsmultirange", "tstzmultirange",
}

// takeTypes judges the types of an answer. A type comes with those that it is made of.
func (s *survey) takeTypes(d *Dialect, q question, a answer) {
	for _, t := range a.Types {
		n := q.Types[t.I-1].asName()
		s.types[n] = max(s.types[n], judgeType(t.Schema, t.Name, t.Kind))
		if t.Schema != "pg_catalog" && slices.Contains(timeless, n.name) {
			s.types[n] = strange // the name was thought to be that of PostgreSQL's
		}
		for _, check := range t.Checks {
			s.expression(d, check, walker{facts: s.facts})
		}
	}
}

// judgeType judges a type by what kind of types it is of. Domains and arrays are judged by the types
// they are made of.
func judgeType(schema, label, kind string) verdict {
	switch {
	case kind == "d", kind == "e":
		return harmless
	case schema != "pg_catalog" && kind == "b":
		return harmless // of an extension, or an array
	case schema != "pg_catalog":
		return strange
	case slices.Contains(timelyTypes, label):
		return timely
	case slices.Contains(harmlessTypes, label), label[0] == '_':
		return harmless
	}
	return strange
}

// judgeCasts judges all conversions and calls that may be conversions, when everything is known.
func (s *survey) judgeCasts() {
	for _, n := range sortedNames(s.functions) {
		if !s.called[n] && s.types[n] == 0 {
			s.anything("there is no function %s()", n)
		}
	}
	for _, c := range s.casts {
		switch v := s.types[c.to]; {
		case c.maybe && v == 0, v == harmless:
		case v == 0:
			s.refuse("there is no type %s", c.to)
		case v == strange:
			s.refuse("a conversion to %s depends on more than its value", c.to)
		case s.isBlind(c):
			s.refuse("a text that is converted to %s may mean the time", c.to)
		}
	}
}
