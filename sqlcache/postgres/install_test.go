// install_test.go hears through a Watcher what others write.

package postgres_test

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/larder-go/larder/sqlcache/postgres"
	"github.com/larder-go/larder/store"
	watch "github.com/larder-go/larder/watch/postgres"
)

// patience is how long an event may take on a busy machine.
const patience = 10 * time.Second

// listen watches a channel of a server until the test ends.
func listen(t *testing.T, dsn string) <-chan store.Event {
	t.Helper()
	w, err := watch.New(watch.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	heard := make(chan store.Event, 1000)
	t.Cleanup(w.Watch(func(e store.Event) { heard <- e }))
	if e := next(t, heard); e.Kind != store.Linked {
		t.Fatalf("heard %+v first", e)
	}
	return heard
}

func next(t *testing.T, heard <-chan store.Event) store.Event {
	t.Helper()
	select {
	case e := <-heard:
		return e
	case <-time.After(patience):
		t.Fatal("heard nothing")
		return store.Event{}
	}
}

// wantTags requires that these tags come next, in any order, and "clear" for none.
func wantTags(t *testing.T, after string, heard <-chan store.Event, tags ...string) {
	t.Helper()
	var got []string
	for range max(len(tags), 1) {
		e := next(t, heard)
		if len(tags) == 0 && e.Kind == store.Cleared {
			return
		}
		got = append(got, e.Tag)
	}
	slices.Sort(got)
	if !slices.Equal(got, tags) {
		t.Fatalf("after %s: heard %q, want %q", after, got, tags)
	}
}

func TestInstallTellsWhatOthersWrite(t *testing.T) {
	db, s := withServer(t, schema)
	pool := openPool(t, db.DSN)
	for range 2 { // twice is as once
		in, err := postgres.Install(t.Context(), pool, postgres.InstallOptions{})
		if err != nil || !in.Schema {
			t.Fatalf("%+v, %v", in, err)
		}
	}
	heard := listen(t, db.DSN)
	for _, test := range []struct {
		statement string
		tags      []string
	}{
		{"INSERT INTO users (id) VALUES (1)", []string{"public.users"}},
		{`INSERT INTO "Odd.Name" VALUES (1)`, []string{"public.Odd.Name"}},
		{"INSERT INTO shop.orders (id, user_id) VALUES (1, 1)", []string{"shop.orders"}},
		{"DELETE FROM users", []string{"public.users", "shop.lines", "shop.orders"}},
		{"TRUNCATE teams", []string{"public.teams"}},
		{"COPY teams (id) FROM PROGRAM 'echo 1'", []string{"public.teams"}},
		{"INSERT INTO days VALUES (1, '2020-02-02')",
			[]string{"public.days", "public.days1", "public.days2", "public.days3"}},
		{"INSERT INTO days3 VALUES (1, '2021-02-02')",
			[]string{"public.days", "public.days2", "public.days3"}},
		{"INSERT INTO cats VALUES ('x', 9)", []string{"public.animals", "public.cats"}},
		{"CREATE TABLE fresh_table (id int)", nil},
		{"ALTER TABLE teams ADD x int", nil},
		{"REFRESH MATERIALIZED VIEW totals", nil},
		{"DROP TABLE fresh_table", nil},
		{"CREATE TEMP TABLE mine_alone (id int); DROP TABLE mine_alone; INSERT INTO teams VALUES (2)",
			[]string{"public.teams"}},
		{"SET session_replication_role = replica; INSERT INTO teams VALUES (3)",
			[]string{"public.teams"}},
		{"SET search_path = shop; INSERT INTO public.teams VALUES (4); RESET search_path",
			[]string{"public.teams"}},
	} {
		for len(heard) > 0 {
			<-heard // a DROP is told twice
		}
		s.run(test.statement)
		wantTags(t, test.statement, heard, test.tags...)
		if test.tags == nil {
			s.run("NOTIFY larder, 'tag:end'") // what was told before it has come when this comes
			for next(t, heard).Tag != "end" {
			}
		}
	}
	d := postgres.New(postgres.Options{})
	if e := s.effect(d, "INSERT INTO users VALUES (1)"); e.WritesAll {
		t.Errorf("its own trigger makes it write all: %+v", e)
	}
	uninstall(t, s, pool)
}

// uninstall requires that nothing is left.
func uninstall(t *testing.T, s session, pool *sql.DB) {
	t.Helper()
	for range 2 {
		if err := postgres.Uninstall(t.Context(), pool, postgres.InstallOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.Query(t.Context(), `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'larder%'
		UNION ALL SELECT evtname FROM pg_event_trigger UNION ALL
		SELECT nspname FROM pg_namespace WHERE nspname = 'larder_notify'`)
	if err != nil || len(rows) > 0 {
		t.Errorf("left: %v, %v", rows, err)
	}
}

func openPool(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	pool, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	return pool
}

// TestInstallWithoutSuperuser says that the schema is not told.
func TestInstallWithoutSuperuser(t *testing.T) {
	db, s := withServer(t, `CREATE ROLE owner; GRANT ALL ON DATABASE postgres TO owner;
		GRANT ALL ON SCHEMA public TO owner`)
	s.run("SET ROLE owner", "CREATE TABLE own (id int)")
	for _, o := range []postgres.InstallOptions{{}, {Tables: []string{"own", `"own"`}}} {
		in, err := postgres.Install(t.Context(), s.conn, o)
		if err != nil || in.Schema {
			t.Fatalf("%+v, %v", in, err)
		}
	}
	heard := listen(t, db.DSN)
	s.run("INSERT INTO own VALUES (1)")
	wantTags(t, "an insert", heard, "public.own")
	o := postgres.InstallOptions{Tables: []string{"absent'; DROP TABLE own; --"}}
	if _, err := postgres.Install(t.Context(), s.conn, o); err == nil {
		t.Error("installed on a table that is not there")
	}
	s.run("INSERT INTO own VALUES (2)")
	wantTags(t, "an insert", heard, "public.own")
}

// TestChangesAreHeardSoon measures how long it takes from the beginning of a write until it is heard of.
func TestChangesAreHeardSoon(t *testing.T) {
	db, s := withServer(t, schema)
	if _, err := postgres.Install(t.Context(), s.conn, postgres.InstallOptions{}); err != nil {
		t.Fatal(err)
	}
	heard := listen(t, db.DSN)
	s.run("INSERT INTO teams VALUES (0)")
	next(t, heard)
	var all []time.Duration
	for range 50 {
		begun := time.Now()
		s.run("UPDATE teams SET id = id + 1")
		next(t, heard)
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	t.Logf("heard after %v in the median, %v at most", all[25], all[49])
	if all[25] > 100*time.Millisecond {
		t.Errorf("heard after %v in the median, want 100 ms at most", all[25])
	}
}
