// catalog.go asks the catalog what names mean, and judges the answers.

package postgres

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/larder-go/larder/sqlcache"
)

// maxRounds bounds how often the catalog is asked: views may be made of views.
const maxRounds = 32

// question is what the catalog is asked, as JSON.
type question struct {
	// None of these may be nil: null is no list in SQL.
	Relations []asked  `json:"relations"`
	Functions []asked  `json:"functions"`
	Fields    []asked  `json:"fields"`
	Operators []asked  `json:"operators"`
	Types     []asked  `json:"types"`
	Pure      []string `json:"pure"`
}

// asked is a name, and what is done with it.
type asked struct {
	Schema *string `json:"s"`
	Name   string  `json:"n"`
	Inner  bool    `json:"inner"` // it is in a view, which is read by the rights of its owner
	uses   []use
}

// answer is what the catalog says. The numbers I are places in the question, from 1.
type answer struct {
	Backslash string `json:"backslash"`
	Relations []struct {
		I            int
		ID           int64
		Schema, Name string
		Kind         string
		Temporary    bool
		View         *string
		Outside      bool // it, or a table that inherits from it, is elsewhere
		Policies     []string
		Timetz       bool
		Columns      [][2]any // name, and whether it holds no text
	}
	Functions []routine
	Operators []struct {
		Name, Schema, Function string
		Pure                   bool
	}
	Types []struct {
		I                  int
		Schema, Name, Kind string
		Checks             []string
	}
	Casts []struct{ Schema, Name string }
}

// routine is a function that a name may mean.
type routine struct {
	Kind         string // "functions" or "fields"
	I            int
	Schema, Name string
	KindOf       string `json:"kind_of"`
	Volatility   string
	Pure         bool
	Silent       bool // it changes nothing
	Text, Timetz bool
}

// survey is the state of resolving the names in facts.
type survey struct {
	*facts
	pure  []string
	known map[string]bool // questions that were asked

	timeColumns, textColumns map[string]bool
	textFunctions            map[string]bool
	ownOperators             map[string]bool
	called                   map[name]bool // functions that are there
	types                    map[name]verdict
}

// resolve finds out what the names in f mean, with those in views and policies behind them.
func (d *Dialect) resolve(ctx context.Context, q sqlcache.Querier, f *facts) error {
	s := &survey{
		facts: f, pure: d.pure, known: map[string]bool{},
		timeColumns: map[string]bool{}, textColumns: map[string]bool{},
		textFunctions: map[string]bool{}, ownOperators: map[string]bool{},
		called: map[name]bool{}, types: map[name]verdict{},
	}
	for round := range maxRounds {
		ask, more := s.question()
		if !more && round > 0 {
			s.judgeCasts()
			return nil
		}
		a, err := query(ctx, q, ask)
		if err != nil {
			return err
		}
		d.take(s, ask, a)
		if err := s.takeWrites(ctx, q, ask, a); err != nil {
			return err
		}
	}
	f.anything("has views within views, more than %d deep", maxRounds)
	return nil
}

// query asks the catalog.
func query(ctx context.Context, q sqlcache.Querier, ask question) (a answer, err error) {
	text, err := json.Marshal(ask)
	if err != nil {
		return a, fmt.Errorf("postgres: ask the catalog: %w", err)
	}
	arg := driver.NamedValue{Ordinal: 1, Value: string(text)}
	err = askJSON(ctx, q, &a, catalogSQL, arg)
	return a, err
}

// askText returns the one text that a statement returns, whether the driver has it as a string or
// as bytes.
func askText(
	ctx context.Context, q sqlcache.Querier, statement string, args ...driver.NamedValue,
) (string, error) {
	rows, err := q.Query(ctx, statement, args...)
	if err != nil {
		return "", err
	}
	if len(rows) != 1 || len(rows[0]) != 1 {
		return "", errors.New("no single value")
	}
	switch v := rows[0][0].(type) {
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("a value of type %T", rows[0][0])
}

// question returns what is not known yet, and whether there is anything.
func (s *survey) question() (q question, more bool) {
	q = question{Relations: []asked{}, Pure: append([]string{}, s.pure...)}
	for _, n := range sortedNames(s.relations) {
		if uses := s.relations[n]; s.isNew("r", n, uses) {
			q.Relations = append(q.Relations, n.asked(slices.DeleteFunc(slices.Clone(uses),
				func(u use) bool { return u == reads })...))
		}
	}
	q.Functions = s.newNames("f", maps.Keys(s.functions))
	q.Operators = s.newNames("o", maps.Keys(s.operators))
	var fieldNames, casts []name
	for f := range s.members {
		fieldNames = append(fieldNames, name{name: f})
	}
	for _, c := range s.casts {
		casts = append(casts, c.to)
	}
	q.Fields = s.newNames("c", slices.Values(fieldNames))
	q.Types = s.newNames("t", slices.Values(casts))
	more = len(q.Relations)+len(q.Functions)+len(q.Operators)+len(q.Fields)+len(q.Types) > 0
	if more && s.isNew("hidden operators", name{}, nil) {
		q.Operators = append(q.Operators, hiddenOperators()...)
	}
	return q, more
}

// hiddenOperators are used without being written: by IN, BETWEEN, CASE, USING, DISTINCT.
func hiddenOperators() (all []asked) {
	for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
		all = append(all, name{name: op}.asked())
	}
	return all
}

// newNames returns those of some names that were not asked for, in order.
func (s *survey) newNames(kind string, all func(func(name) bool)) []asked {
	some := []asked{} // which is not null
	for _, n := range slices.SortedFunc(all, compareNames) {
		if s.isNew(kind, n, nil) {
			some = append(some, n.asked())
		}
	}
	return some
}

// isNew reports whether a name was not asked for, and notes that it is now.
func (s *survey) isNew(kind string, n name, uses []use) bool {
	key := fmt.Sprintf("%s%q%q%v%q", kind, n.schema, n.name, n.inner, uses)
	if s.known[key] {
		return false
	}
	s.known[key] = true
	return true
}

func (n name) asked(uses ...use) asked {
	if n.schema == "" {
		return asked{Name: n.name, Inner: n.inner, uses: uses}
	}
	return asked{&n.schema, n.name, n.inner, uses}
}

// asName returns the name that was asked for.
func (a asked) asName() name {
	if a.Schema == nil {
		return name{name: a.Name, inner: a.Inner}
	}
	return name{*a.Schema, a.Name, a.Inner}
}

func compareNames(a, b name) int { return strings.Compare(a.String(), b.String()) }

func sortedNames[V any](m map[name]V) []name {
	return slices.SortedFunc(maps.Keys(m), compareNames)
}

// take judges an answer.
func (d *Dialect) take(s *survey, q question, a answer) {
	if a.Backslash != "on" {
		s.unknown("standard_conforming_strings is off, so that texts are read otherwise")
	}
	for _, c := range a.Casts {
		s.refuse("a conversion calls %s.%s(), which is not immutable", c.Schema, c.Name)
	}
	s.takeFunctions(q, a)
	for _, o := range a.Operators {
		s.ownOperators[o.Name] = true
		if !o.Pure {
			s.anything("the operator %s calls %s.%s(), which is not immutable",
				o.Name, o.Schema, o.Function)
		}
	}
	s.takeTypes(d, q, a)
	s.takeRelations(d, q, a)
}
