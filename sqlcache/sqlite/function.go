// function.go tells which functions depend on their arguments alone.

package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/larder-go/larder/sqlcache"
)

// Flags of PRAGMA function_list.
const (
	deterministic = 0x000000800
	directOnly    = 0x000080000 // has effects, or tells secrets
)

// aggregates are those of SQLite. It does not flag them, though they depend on the rows alone.
var aggregates = strings.Fields(`
	avg count cume_dist dense_rank first_value group_concat json_group_array json_group_object
	jsonb_group_array jsonb_group_object lag last_value lead max median min nth_value ntile
	percent_rank percentile percentile_cont percentile_disc rank row_number string_agg sum total`)

// timely are functions that SQLite flags as deterministic, though they know the time if an
// argument says so.
var timely = strings.Fields(`
	date time datetime julianday unixepoch strftime timediff`)

// peculiar are functions that depend on the connection, the library or the file, whatever their
// flags.
var peculiar = strings.Fields(`
	changes current_date current_time current_timestamp fts5_source_id last_insert_rowid
	load_extension random randomblob sqlite_compileoption_get sqlite_compileoption_used
	sqlite_offset sqlite_source_id sqlite_version total_changes`)

// function is a row of PRAGMA function_list. A name has several: by the number of arguments.
type function struct {
	name      string
	builtin   bool
	aggregate bool
	flags     int64
}

// functions asks for those that the connection has.
func functions(ctx context.Context, q sqlcache.Querier) ([]function, error) {
	rows, err := q.Query(ctx, "PRAGMA function_list")
	if err != nil {
		return nil, err
	}
	all := make([]function, len(rows))
	for i, row := range rows {
		if all[i], err = readFunction(row); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// readFunction reads name, builtin, type, encoding, number of arguments and flags.
func readFunction(row []driver.Value) (f function, err error) {
	if len(row) < 6 {
		return f, fmt.Errorf("sqlcache/sqlite: function_list has %d columns", len(row))
	}
	builtin, err := integer(row[1])
	if err != nil {
		return f, err
	}
	f.name, f.builtin, f.aggregate = lower(text(row[0])), builtin != 0, text(row[2]) != "s"
	f.flags, err = integer(row[5])
	return f, err
}

// verdict is what the calls of a program say of it.
type verdict struct {
	reason  string // why its result must not be kept
	effects bool   // a function may change anything
	extends bool   // a function changes the connection
	timely  bool   // a function that is vouched for may know the time
}

// judge looks at all calls.
func (d *Dialect) judge(
	ctx context.Context, q sqlcache.Querier, p *program,
) (v verdict, err error) {
	if len(p.calls) == 0 {
		return v, nil
	}
	all, err := functions(ctx, q)
	if err != nil {
		return v, err
	}
	for c := range p.calls {
		d.judgeCall(&v, c, all)
	}
	return v, nil
}

// judgeCall looks at one of them.
func (d *Dialect) judgeCall(v *verdict, c call, all []function) {
	v.extends = v.extends || isExtending(c.name)
	for _, f := range all {
		v.effects = v.effects || f.name == c.name && f.flags&directOnly != 0
	}
	switch {
	case d.pure[c.name]:
		v.timely = v.timely || slices.Contains(timely, c.name)
	case !isPure(c, all):
		v.reason = "calls " + c.name + "()"
	}
}

// isPure reports whether the result of a function depends on nothing but its arguments.
func isPure(c call, all []function) bool {
	if slices.Contains(timely, c.name) || slices.Contains(peculiar, c.name) {
		return false
	}
	known := false
	for _, f := range all {
		if f.name != c.name || f.aggregate != c.aggregate {
			continue
		}
		listed := f.aggregate && f.builtin && slices.Contains(aggregates, f.name)
		if f.flags&deterministic == 0 && !listed {
			return false
		}
		known = true
	}
	return known
}
