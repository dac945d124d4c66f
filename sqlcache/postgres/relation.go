// relation.go judges tables, and reads the views and policies on them.

package postgres

import "slices"

// systemSchemas hold what changes without being written.
var systemSchemas = []string{"pg_catalog", "information_schema", "pg_toast"}

// takeRelations judges the tables of an answer.
func (s *survey) takeRelations(d *Dialect, q question, a answer) {
	found := map[int]bool{}
	for i, r := range a.Relations {
		found[r.I] = true
		label := r.Schema + "." + r.Name
		uses := q.Relations[r.I-1].uses
		switch {
		case slices.Contains(systemSchemas, r.Schema):
			s.refuse("reads %s, which the system keeps", label)
			if len(uses) > 0 {
				s.anything("writes %s, which the system keeps", label)
			}
		case r.Temporary:
			s.refuse("reads the temporary table %s", r.Name)
		case r.Outside:
			s.refuse("reads %s, which is elsewhere", label)
		case r.Timetz:
			s.refuse("%s has a time with time zone, which depends on the day", label)
		case r.Kind == "v":
			s.view(d, label, r.View, uses)
		case r.Kind == "m" && len(uses) > 0:
			s.view(d, label, r.View, nil)
		case r.Kind != "r" && r.Kind != "p" && r.Kind != "m":
			s.refuse("reads %s, which is no table", label)
		}
		s.reads[label] = true
		for _, p := range r.Policies {
			s.expression(d, p, walker{facts: s.facts, inner: true, policy: true})
		}
		s.takeColumns(a.Relations[i].Columns)
	}
	for i, r := range q.Relations {
		if !found[i+1] {
			s.refuse("there is no table %s", r.asName())
			s.all = s.all || len(r.uses) > 0
		}
	}
}

// takeColumns notes which columns may hold text.
func (s *survey) takeColumns(columns [][2]any) {
	for _, c := range columns {
		label := text(c[0])
		if timed, _ := c[1].(bool); timed {
			s.timeColumns[label] = true
		} else {
			s.textColumns[label] = true
		}
	}
}

// view reads the query of a view. Who writes to the view writes to the tables in it.
func (s *survey) view(d *Dialect, label string, query *string, uses []use) {
	if query == nil {
		s.anything("the view %s could not be read", label)
		return
	}
	s.parsed(d, *query, "the view "+label, walker{facts: s.facts, inner: true, uses: uses})
}

// expression reads an expression of the catalog.
func (s *survey) expression(d *Dialect, sql string, w walker) {
	s.parsed(d, "SELECT "+sql, "a policy or constraint", w)
}

// parsed reads a query of the catalog.
func (s *survey) parsed(d *Dialect, sql, what string, w walker) {
	statements, err := d.parse(sql)
	if err != nil || len(statements) != 1 {
		s.anything("%s could not be read", what)
		return
	}
	w.visit(statements[0])
}
