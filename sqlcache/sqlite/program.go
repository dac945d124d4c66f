// program.go reads the program that SQLite makes of a statement: what EXPLAIN shows of it.

package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/larder-go/larder/sqlcache"
)

// Numbers that SQLite gives to the databases of a connection. Attached ones are above.
const (
	mainDatabase = 0
	tempDatabase = 1
)

// page is where a table or an index begins, which is how programs call them.
type page struct{ database, root int64 }

// call is a function that a program calls.
type call struct {
	name      string // in small letters
	aggregate bool   // or of a window
}

// program is what matters of a program and of those it runs: triggers, actions of foreign keys.
type program struct {
	reads, writes []page
	calls         map[call]bool
	cookies       map[int64]int64 // of the schemas it was made for, by database
	writing       map[int64]bool  // databases that Transaction has told to write
	foreign       string          // an instruction that reads what is in no table
	beyond        string          // an instruction that may do anything
}

// explain asks SQLite for the program of a statement. It runs nothing, as long as the text is that
// of one statement, and not a pragma.
func explain(ctx context.Context, q sqlcache.Querier, text string) (*program, error) {
	rows, err := q.Query(ctx, "EXPLAIN "+text, nulls(text)...)
	if err != nil {
		return nil, err
	}
	p := &program{
		calls: map[call]bool{}, cookies: map[int64]int64{}, writing: map[int64]bool{},
	}
	for _, row := range rows {
		in, err := readInstruction(row)
		if err != nil {
			return nil, err
		}
		p.add(in)
	}
	return p, nil
}

// nulls returns a NULL for each variable of a statement. No program depends on values, and drivers
// refuse a statement of which one is missing.
func nulls(text string) []driver.NamedValue {
	names := variables(text)
	args := make([]driver.NamedValue, len(names))
	for i, name := range names {
		args[i] = driver.NamedValue{Ordinal: i + 1, Name: name}
	}
	return args
}

// instruction is a row of EXPLAIN.
type instruction struct {
	opcode         string
	p1, p2, p3, p5 int64
	p4             string
}

// readInstruction reads addr, opcode, p1, p2, p3, p4, p5 and a comment.
func readInstruction(row []driver.Value) (in instruction, err error) {
	if len(row) < 7 {
		return in, fmt.Errorf("sqlcache/sqlite: EXPLAIN has %d columns", len(row))
	}
	in.opcode, in.p4 = text(row[1]), text(row[5])
	for i, p := range map[int]*int64{2: &in.p1, 3: &in.p2, 4: &in.p3, 6: &in.p5} {
		if *p, err = integer(row[i]); err != nil {
			return in, err
		}
	}
	return in, nil
}

// p2IsRegister is set in p5 of an instruction whose p2 is not the page, but where it will be.
const p2IsRegister = 0x10

// add notes what an instruction does.
func (p *program) add(in instruction) {
	switch opcodes[in.opcode] {
	case beyond:
		p.beyond = in.opcode
	case foreign:
		p.foreign = in.opcode
	}
	switch in.opcode {
	case "Transaction":
		p.cookies[in.p1] = in.p3
		p.writing[in.p1] = p.writing[in.p1] || in.p2 != 0
	case "OpenRead", "ReopenIdx":
		p.reads = append(p.reads, p.opened(in))
	case "OpenWrite":
		p.writes = append(p.writes, p.opened(in))
	case "Clear":
		p.writes = append(p.writes, page{in.p2, in.p1})
	case "Function", "Function0", "PureFunc", "PureFunc0":
		p.calls[call{called(in.p4), false}] = true
	case "AggStep", "AggStep1", "AggInverse", "AggValue", "AggFinal":
		p.calls[call{called(in.p4), true}] = true
	}
}

// opened returns the page that an instruction opens.
func (p *program) opened(in instruction) page {
	if in.p5&p2IsRegister != 0 {
		p.beyond = in.opcode
	}
	return page{in.p3, in.p2}
}

// called returns the name of a function of which p4 says name(arguments).
func called(p4 string) string {
	if i := strings.LastIndexByte(p4, '('); i >= 0 {
		p4 = p4[:i]
	}
	return lower(p4)
}

// isWriting reports whether the program may change anything.
func (p *program) isWriting() bool {
	for _, w := range p.writing {
		if w {
			return true
		}
	}
	return len(p.writes) > 0
}

// text returns a text that came from a driver, "" for NULL.
func text(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// integer returns a number that came from a driver.
func integer(v driver.Value) (int64, error) {
	n, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("sqlcache/sqlite: %T where SQLite has a number", v)
	}
	return n, nil
}
