// postgres_test.go listens to a real server, which is killed and made to hang.

package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/larder-go/larder/internal/servers"
	"github.com/larder-go/larder/store"
	"github.com/larder-go/larder/watch/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const heartbeat = 200 * time.Millisecond

// patience is how long an event may take on a busy machine.
const patience = 20 * time.Second

func key(k string) store.Event { return store.Event{Kind: store.Changed, Key: k} }

var (
	linked  = store.Event{Kind: store.Linked}
	lost    = store.Event{Kind: store.Lost}
	cleared = store.Event{Kind: store.Cleared}
)

// watcher returns a watcher of db that ends with the test.
func watcher(t *testing.T, db *servers.Database, channel string) *postgres.Watcher {
	t.Helper()
	w, err := postgres.New(postgres.Options{DSN: db.DSN, Channel: channel, Heartbeat: heartbeat})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// events watches until the test ends.
func events(t *testing.T, w *postgres.Watcher) <-chan store.Event {
	t.Helper()
	heard := make(chan store.Event, 1000)
	t.Cleanup(w.Watch(func(e store.Event) { heard <- e }))
	return heard
}

// want requires that these events come next.
func want(t *testing.T, heard <-chan store.Event, all ...store.Event) {
	t.Helper()
	for i, e := range all {
		select {
		case got := <-heard:
			if got != e {
				t.Fatalf("event %d: %+v, want %+v", i, got, e)
			}
		case <-time.After(patience):
			t.Fatalf("event %d, %+v, did not come", i, e)
		}
	}
}

func connect(t *testing.T, db *servers.Database) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), db.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func notify(t *testing.T, by postgres.Execer, channel string, e store.Event) {
	t.Helper()
	if err := postgres.Notify(t.Context(), by, channel, e); err != nil {
		t.Fatal(err)
	}
}

// TestWatcher runs all that needs a server on one.
func TestWatcher(t *testing.T) {
	db := servers.Postgres(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *servers.Database)
	}{
		{"hears what is notified, in order", hears},
		{"hears nothing of what is rolled back", rollsBack},
		{"sends clear for what cannot be sent", sendsClear},
		{"hears of rows by a trigger", triggers},
		{"shares one connection", shares},
		{"ends with the last who watches", ends},
		{"says Lost and Linked when the server is killed", killed},
		{"notices a server that hangs", hangs},
		{"links when the server comes up", comesUp},
		{"loses a link that the server cut", cut},
		{"reports what it has heard", reports},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, db) })
	}
}

func hears(t *testing.T, db *servers.Database) {
	for _, channel := range []string{"", `Wei"rd; 'channel`, strings.Repeat("c", 63)} {
		w, conn := watcher(t, db, channel), connect(t, db)
		heard := events(t, w)
		want(t, heard, linked)
		tag := store.Event{Kind: store.TagDeleted, Tag: "team:7"}
		sent := []store.Event{
			key("user:42"), tag, cleared, key("clear"), key("with 'quotes' é"), key("key:"),
		}
		for _, e := range sent {
			notify(t, conn, channel, e)
		}
		want(t, heard, sent...)
		notify(t, conn, "another", key("not for us"))
		name := channel
		if name == "" {
			name = "larder"
		}
		for _, payload := range []string{"", "key:", "user:42", "CLEAR"} {
			execute(t, conn, "SELECT pg_notify($1, $2)", name, payload)
			want(t, heard, cleared)
		}
		want := postgres.Stats{Linked: true, Heard: 10, Unknown: 4, Links: 1}
		if got := w.Stats(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func rollsBack(t *testing.T, db *servers.Database) {
	heard, conn := events(t, watcher(t, db, "")), connect(t, db)
	want(t, heard, linked)
	for _, end := range []func(pgx.Tx) error{
		func(tx pgx.Tx) error { return tx.Rollback(t.Context()) },
		func(tx pgx.Tx) error { return tx.Commit(t.Context()) },
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		notify(t, tx, "", key("in the transaction"))
		notify(t, tx, "", key("in the transaction")) // equal ones are one
		notify(t, connect(t, db), "", key("meanwhile"))
		want(t, heard, key("meanwhile"))
		if err := end(tx); err != nil {
			t.Fatal(err)
		}
	}
	want(t, heard, key("in the transaction"))
	notify(t, conn, "", key("the end"))
	want(t, heard, key("the end"))
}

func sendsClear(t *testing.T, db *servers.Database) {
	heard, conn := events(t, watcher(t, db, "")), connect(t, db)
	want(t, heard, linked)
	fits := strings.Repeat("k", 7995)
	for _, c := range []struct{ send, want store.Event }{
		{key(fits), key(fits)}, {key(fits + "k"), cleared}, {key("a\x00b"), cleared},
		{key("\xff"), cleared}, {key(""), cleared},
		{store.Event{Kind: store.TagDeleted, Tag: fits + "t"}, cleared},
		{store.Event{Kind: store.TagDeleted}, store.Event{Kind: store.TagDeleted}},
	} {
		notify(t, conn, "", c.send)
		want(t, heard, c.want)
	}
	for _, e := range []store.Event{linked, lost, {}} {
		if err := postgres.Notify(t.Context(), conn, "", e); err == nil {
			t.Errorf("%v was sent", e.Kind)
		}
	}
}

func triggers(t *testing.T, db *servers.Database) {
	heard, conn := events(t, watcher(t, db, "rows")), connect(t, db)
	want(t, heard, linked)
	execute(t, conn, `CREATE SCHEMA "My ""Schema"`)
	for _, c := range []struct {
		table  pgx.Identifier
		column string
		prefix string
	}{
		{pgx.Identifier{"users"}, "id", "user:"},
		{pgx.Identifier{`My "Schema`, `the 'table'; --`}, `the "id" $$`, `it's \a $larder$:`},
	} {
		table, column := c.table.Sanitize(), pgx.Identifier{c.column}.Sanitize()
		trigger := postgres.Trigger{
			Table: c.table, KeyColumn: c.column, Prefix: c.prefix, Channel: "rows",
		}
		execute(t, conn, fmt.Sprintf("CREATE TABLE %s (%s text, n int)", table, column))
		execute(t, conn, trigger.SQL())
		execute(t, conn, trigger.SQL()) // made anew
		row := func(id string) store.Event { return key(c.prefix + id) }
		execute(t, conn, fmt.Sprintf("INSERT INTO %s VALUES ('1', 0), ('2', 0)", table))
		want(t, heard, row("1"), row("2"))
		execute(t, conn, fmt.Sprintf("UPDATE %s SET n = 1 WHERE %s = '2'", table, column))
		want(t, heard, row("2"))
		execute(t, conn, fmt.Sprintf("UPDATE %s SET %s = '3' WHERE %[2]s = '2'", table, column))
		want(t, heard, row("2"), row("3"))
		execute(t, conn, fmt.Sprintf("DELETE FROM %s WHERE %s = '3'", table, column))
		want(t, heard, row("3"))
		execute(t, conn, fmt.Sprintf("INSERT INTO %s VALUES (NULL, 0)", table))
		want(t, heard, cleared)
		execute(t, conn, fmt.Sprintf("INSERT INTO %s VALUES (repeat('é', 4000), 0)", table))
		want(t, heard, cleared)
		execute(t, conn, "TRUNCATE "+table)
		want(t, heard, cleared)
		execute(t, conn, trigger.DropSQL())
		execute(t, conn, fmt.Sprintf("INSERT INTO %s VALUES ('4', 0)", table))
		notify(t, conn, "rows", key("the end"))
		want(t, heard, key("the end"))
	}
}

// listeners returns how many connections of watchers the server has.
func listeners(t *testing.T, conn *pgx.Conn) (n int) {
	t.Helper()
	row := conn.QueryRow(t.Context(),
		"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'larder'")
	if err := row.Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// awaitListeners waits until the server has n connections of watchers.
func awaitListeners(t *testing.T, conn *pgx.Conn, n int) {
	t.Helper()
	late := time.Now().Add(patience)
	for listeners(t, conn) != n {
		if time.Now().After(late) {
			t.Fatalf("%d connections, want %d", listeners(t, conn), n)
		}
	}
}

func shares(t *testing.T, db *servers.Database) {
	conn, w := connect(t, db), watcher(t, db, "")
	awaitListeners(t, conn, 0)
	first := events(t, w)
	want(t, first, linked)
	second := events(t, w)
	want(t, second, linked) // though nothing happens on the link
	notify(t, conn, "", key("a"))
	want(t, first, key("a"))
	want(t, second, key("a"))
	if n := listeners(t, conn); n != 1 {
		t.Errorf("%d connections for two who watch", n)
	}
}

func ends(t *testing.T, db *servers.Database) {
	conn, w := connect(t, db), watcher(t, db, "")
	awaitListeners(t, conn, 0)
	for range 3 {
		heard := make(chan store.Event, 10)
		stop := w.Watch(func(e store.Event) { heard <- e })
		other := events(t, w)
		want(t, heard, linked)
		want(t, other, linked)
		stop()
		stop()
		notify(t, conn, "", key("a"))
		want(t, other, key("a"))
		if len(heard) > 0 {
			t.Errorf("after stop: %v", <-heard)
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	w.Watch(func(e store.Event) { t.Errorf("after Close: %v", e) })()
	if s := w.Stats(); s.Linked {
		t.Errorf("%+v", s)
	}
	awaitListeners(t, conn, 0)
	alone := watcher(t, db, "")
	for range 20 { // to and fro, at any moment of connecting
		alone.Watch(func(store.Event) {})()
	}
	awaitListeners(t, conn, 0)
	want(t, events(t, alone), linked)
}

func killed(t *testing.T, db *servers.Database) {
	w := watcher(t, db, "")
	heard := events(t, w)
	want(t, heard, linked)
	db.Kill()
	want(t, heard, lost)
	late := events(t, w)
	db.Start()
	want(t, heard, linked)
	want(t, late, linked) // no Lost before it
	notify(t, connect(t, db), "", key("a"))
	want(t, heard, key("a"))
	want(t, late, key("a"))
	if s := w.Stats(); s.Links != 2 || s.Err != nil || !s.Linked {
		t.Errorf("%+v", s)
	}
}

func hangs(t *testing.T, db *servers.Database) {
	w, conn := watcher(t, db, ""), connect(t, db)
	heard := events(t, w)
	want(t, heard, linked)
	db.Stop()
	began := time.Now()
	want(t, heard, lost)
	took := time.Since(began)
	db.Continue()
	if took > 2*heartbeat+time.Second {
		t.Errorf("a server that hangs was noticed after %v, want %v", took, 2*heartbeat)
	}
	t.Logf("noticed after %v at a heartbeat of %v", took, heartbeat)
	want(t, heard, linked)
	notify(t, conn, "", key("a"))
	want(t, heard, key("a"))
}

func comesUp(t *testing.T, db *servers.Database) {
	db.Kill()
	w := watcher(t, db, "")
	heard := events(t, w)
	for late := time.Now().Add(patience); w.Stats().Err == nil; {
		if time.Now().After(late) {
			t.Fatal("no error, though there is no server")
		}
		time.Sleep(time.Millisecond)
	}
	db.Start()
	want(t, heard, linked)
	if s := w.Stats(); s.Err != nil || s.Links != 1 {
		t.Errorf("%+v", s)
	}
}

func cut(t *testing.T, db *servers.Database) {
	heard, conn := events(t, watcher(t, db, "")), connect(t, db)
	for range 3 {
		want(t, heard, linked)
		execute(t, conn, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE application_name = 'larder'`)
		want(t, heard, lost)
	}
	want(t, heard, linked)
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	for _, o := range []postgres.Options{
		{DSN: "postgres://%zz"}, {Heartbeat: -1}, {Channel: strings.Repeat("c", 64)},
		{Channel: "\x00"}, {Channel: "\xff"},
	} {
		if w, err := postgres.New(o); err == nil {
			t.Errorf("New(%+v) = %v", o, w)
		}
	}
	for _, trigger := range []postgres.Trigger{
		{}, {Table: pgx.Identifier{"t"}}, {KeyColumn: "id"},
		{Table: pgx.Identifier{""}, KeyColumn: "id"},
		{Table: pgx.Identifier{"t"}, KeyColumn: "id", Prefix: "\x00"},
		{Table: pgx.Identifier{"t"}, KeyColumn: "id", Channel: strings.Repeat("c", 64)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v makes a trigger", trigger)
				}
			}()
			trigger.SQL()
		}()
	}
}

func FuzzParse(f *testing.F) {
	f.Add("key:a")
	f.Add("tag:")
	f.Add("clear")
	f.Fuzz(func(t *testing.T, payload string) {
		e, known := postgres.Parse(payload)
		if !known && e != cleared {
			t.Fatalf("%q is not known and tells %+v", payload, e)
		}
		again, err := postgres.Payload(e)
		if err != nil {
			t.Fatal(err)
		}
		if known && len(payload) < 8000 && again != payload && again != "clear" {
			t.Fatalf("%q became %q", payload, again)
		}
	})
}
