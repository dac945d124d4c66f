// differential_test.go does the same to two databases, of which one is behind the cache, and looks
// for a difference.

package sqlcache_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

// deeds is how many a differential test does.
const deeds = 10_000

// outcome is all that a program gets to know of a statement.
type outcome struct {
	Err      string
	Affected string
	Columns  []string
	Types    []string
	Rows     [][]string
}

// outcomeOfQuery runs a statement that returns rows.
func outcomeOfQuery(rows *sql.Rows, err error) (o outcome) {
	if err != nil {
		return outcome{Err: err.Error()}
	}
	defer rows.Close()
	o.Columns, _ = rows.Columns()
	types, err := rows.ColumnTypes()
	if err != nil {
		return outcome{Err: "types: " + err.Error()}
	}
	for _, t := range types {
		o.Types = append(o.Types, describeType(t))
	}
	values, dest := make([]any, len(o.Columns)), make([]any, len(o.Columns))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			o.Err = err.Error()
			return o
		}
		var row []string
		for _, v := range values {
			row = append(row, describeValue(v))
		}
		o.Rows = append(o.Rows, row)
	}
	if err := rows.Err(); err != nil {
		o.Err = err.Error()
	}
	return o
}

// describeValue says everything of a value.
func describeValue(v any) string {
	if t, ok := v.(time.Time); ok {
		zone, offset := t.Zone()
		return fmt.Sprintf("time %v in %q %q %d", t.Format(time.RFC3339Nano), t.Location(), zone, offset)
	}
	return fmt.Sprintf("%T %#v", v, v)
}

func describeType(t *sql.ColumnType) string {
	length, hasLength := t.Length()
	nullable, hasNullable := t.Nullable()
	precision, scale, hasDecimal := t.DecimalSize()
	return fmt.Sprint(t.Name(), t.DatabaseTypeName(), t.ScanType(), length, hasLength, nullable,
		hasNullable, precision, scale, hasDecimal)
}

// deed is one thing that a program does over a connection.
type deed struct {
	kind string // query, exec, begin, commit, rollback, prepare, prepared
	text string
	args []any
}

func (d deed) String() string { return fmt.Sprintf("%s %s %v", d.kind, d.text, d.args) }

// hand is a connection of which the transaction and one statement are kept.
type hand struct {
	conn *sql.Conn
	tx   *sql.Tx
	stmt *sql.Stmt
}

// do does a deed.
func (h *hand) do(ctx context.Context, d deed) outcome {
	switch d.kind {
	case "query":
		return outcomeOfQuery(h.asker().QueryContext(ctx, d.text, d.args...))
	case "exec":
		return outcomeOfExec(h.asker().ExecContext(ctx, d.text, d.args...))
	case "begin":
		tx, err := h.conn.BeginTx(ctx, nil)
		h.tx = tx
		return outcomeOf(err)
	case "commit", "rollback":
		end := h.tx.Commit
		if d.kind == "rollback" {
			end = h.tx.Rollback
		}
		h.tx = nil
		return outcomeOf(end())
	case "prepare":
		stmt, err := h.conn.PrepareContext(ctx, d.text)
		if err == nil {
			h.forget()
			h.stmt = stmt
		}
		return outcomeOf(err)
	case "prepared":
		if h.stmt == nil {
			return outcome{}
		}
		return outcomeOfQuery(h.stmt.QueryContext(ctx, d.args...))
	}
	panic(d.kind)
}

// close gives all back.
func (h *hand) close() {
	h.forget()
	if h.tx != nil {
		h.tx.Rollback()
	}
	h.conn.ExecContext(context.Background(), "ROLLBACK") // of one that was begun by its text, if any
	h.conn.Close()
}

func (h *hand) forget() {
	if h.stmt != nil {
		h.stmt.Close()
	}
}

// asker runs statements, in the transaction if there is one.
type asker interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

func (h *hand) asker() asker {
	if h.tx != nil {
		return h.tx
	}
	return h.conn
}

func outcomeOf(err error) (o outcome) {
	if err != nil {
		o.Err = err.Error()
	}
	return o
}

func outcomeOfExec(r sql.Result, err error) outcome {
	if err != nil {
		return outcome{Err: err.Error()}
	}
	n, err := r.RowsAffected()
	return outcome{Affected: fmt.Sprint(n, err)}
}

// twins are two databases to which the same is done over two connections each.
type twins struct {
	t            *testing.T
	dbs          [2]*sql.DB
	bare, cached [2]*hand
	done         []string // the last deeds
	asked        []deed   // the last queries
}

// again returns something new to do, or one of the last queries, as programs ask them again and
// again.
func (w *twins) again(r *rand.Rand, fresh func(*rand.Rand) deed) deed {
	if n := len(w.asked); n > 0 && r.IntN(3) > 0 {
		return w.asked[r.IntN(n)]
	}
	d := fresh(r)
	if d.kind == "query" && strings.HasPrefix(d.text, "SELECT") {
		if w.asked = append(w.asked, d); len(w.asked) > 6 {
			w.asked = w.asked[1:]
		}
	}
	return d
}

func newTwins(t *testing.T, bare, cached *sql.DB) *twins {
	bare.SetMaxIdleConns(-1)
	cached.SetMaxIdleConns(-1)
	w := &twins{t: t, dbs: [2]*sql.DB{bare, cached}}
	w.reconnect()
	return w
}

// reconnect opens new connections. What was not committed is lost.
func (w *twins) reconnect() {
	w.t.Helper()
	for i := range 2 {
		for n, h := range []**hand{&w.bare[i], &w.cached[i]} {
			if *h != nil {
				(*h).close()
			}
			*h = &hand{conn: connTo(w.t, w.dbs[n])}
		}
	}
}

func connTo(t *testing.T, db *sql.DB) *sql.Conn {
	t.Helper()
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// do does a deed to both, and fails if a program could tell them apart.
func (w *twins) do(i int, d deed) outcome {
	w.t.Helper()
	if w.done = append(w.done, fmt.Sprint(i, " ", d)); len(w.done) > 40 {
		w.done = w.done[1:]
	}
	want := w.bare[i].do(w.t.Context(), d)
	got := w.cached[i].do(w.t.Context(), d)
	if !reflect.DeepEqual(got, want) {
		w.t.Fatalf("%s\ngot\n%+v\nwant\n%+v", strings.Join(w.done, "\n"), got, want)
	}
	return want
}

// seed returns where a random test begins: LARDER_SEED, or one that is always the same.
func seed(t *testing.T) *rand.Rand {
	n, err := strconv.ParseUint(os.Getenv("LARDER_SEED"), 10, 64)
	if err != nil {
		n = 2026
	}
	t.Logf("LARDER_SEED=%d", n)
	return rand.New(rand.NewPCG(n, 7))
}

func small(r *rand.Rand) int64 { return int64(r.IntN(12)) }

// nullable is v, or NULL.
func nullable(r *rand.Rand, v any) any {
	if r.IntN(4) == 0 {
		return nil
	}
	return v
}
