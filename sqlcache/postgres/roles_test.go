// roles_test.go asks as roles that see not all, under hostile paths, and by another driver.

package postgres_test

import (
	"database/sql/driver"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-go/larder/sqlcache/postgres"
)

// TestEffectOfPolicies reads tables whose rows depend on who asks.
func TestEffectOfPolicies(t *testing.T) {
	_, s := withServer(t, schema)
	s.run("SET ROLE app")
	d := postgres.New(postgres.Options{})
	for _, test := range []struct{ statement, reads, reason string }{
		{"SELECT * FROM secrets", "public.secrets", ""},
		{"SELECT * FROM guarded", "public.guarded public.teams", ""},
		{"SELECT * FROM tenants", "public.tenants", "calls current_setting()"},
	} {
		e := s.effect(d, test.statement)
		if e.Cacheable != (test.reason == "") || e.Reason != test.reason ||
			!slices.Equal(e.Reads, strings.Fields(test.reads)) {
			t.Errorf("%s: %+v, want %+v", test.statement, e, test)
		}
	}
}

// TestEffectUnderHostilePaths has functions and operators of the names that the questions to the
// catalog use, before those of PostgreSQL.
func TestEffectUnderHostilePaths(t *testing.T) {
	_, s := withServer(t, schema+`
		CREATE SCHEMA evil;
		CREATE FUNCTION evil.no(name, name) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT false';
		CREATE OPERATOR evil.= (leftarg = name, rightarg = name, function = evil.no);
		CREATE FUNCTION evil.unnest(name[]) RETURNS SETOF name LANGUAGE sql AS 'SELECT NULL::name';
		CREATE FUNCTION evil.lower(text) RETURNS text VOLATILE LANGUAGE sql AS 'SELECT $1';
		CREATE TABLE evil.pg_class (id int);
		CREATE TABLE evil.teams (id int);
		SET search_path = evil, public, pg_catalog`)
	d := postgres.New(postgres.Options{})
	for statement, reads := range map[string]string{
		"SELECT * FROM users": "public.users", "SELECT * FROM teams": "evil.teams",
		"SELECT * FROM pg_class": "evil.pg_class", "SELECT * FROM public.teams": "public.teams",
	} {
		if e := s.effect(d, statement); !e.Cacheable || !slices.Equal(e.Reads, []string{reads}) {
			t.Errorf("%s: %+v, want %s", statement, e, reads)
		}
	}
	if e := s.effect(d, "SELECT lower(name) FROM users"); !e.WritesAll {
		t.Errorf("another lower(): %+v", e)
	}
	s.run("SET standard_conforming_strings = off")
	if e := s.effect(d, `SELECT '\'; DELETE FROM users; --'`); e.Cacheable || !e.WritesAll {
		t.Errorf("a backslash that is an escape: %+v", e)
	}
}

// TestEffectInTransactions asks over both drivers within a transaction, which goes on.
func TestEffectInTransactions(t *testing.T) {
	db, _ := withServer(t, schema)
	d := postgres.New(postgres.Options{})
	for _, name := range []string{"pgx", "postgres"} {
		s := connect(t, name, db.DSN)
		s.run("BEGIN")
		e := s.effect(d, "SELECT * FROM people WHERE id = $1")
		want := []string{"public.people", "public.teams", "public.users"}
		if !e.Cacheable || !slices.Equal(e.Reads, want) {
			t.Errorf("%s: %+v", name, e)
		}
		s.effect(d, "DELETE FROM users")
		s.effect(d, "SELECT * FROM absent.table1, absent(), 'x'::absent")
		if s.identity(d) == "" {
			t.Errorf("%s: no identity", name)
		}
		s.run("SELECT 1", "COMMIT")
		err := s.conn.Raw(func(c any) error {
			if keeps := d.KeepsStatements(c.(driver.Conn)); keeps != (name == "pgx") {
				t.Errorf("%s keeps statements: %v", name, keeps)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// TestPartitionsAreOneFamily writes by one name what is read by another.
func TestPartitionsAreOneFamily(t *testing.T) {
	_, s := withServer(t, schema+`
		CREATE TABLE owners (id int PRIMARY KEY);
		CREATE TABLE owned (id int, owner int REFERENCES owners ON DELETE CASCADE) PARTITION BY LIST (id);
		CREATE TABLE owned1 PARTITION OF owned FOR VALUES IN (1)`)
	d := postgres.New(postgres.Options{})
	for _, test := range []struct{ write, read string }{
		{"INSERT INTO days VALUES (1, '2020-01-01')", "SELECT * FROM days1"},
		{"INSERT INTO days3 VALUES (1, '2021-01-01')", "SELECT * FROM days"},
		{"UPDATE days SET id = 2", "SELECT * FROM days3"},
		{"DELETE FROM cats", "SELECT * FROM animals"},
		{"DELETE FROM animals", "SELECT * FROM cats"},
		{"DELETE FROM owners", "SELECT * FROM owned"},
		{"DELETE FROM owners", "SELECT * FROM owned1"},
		{"INSERT INTO days2 VALUES (1, '2021-01-01')", "SELECT * FROM of_days"},
	} {
		writes, reads := s.effect(d, test.write).Writes, s.effect(d, test.read).Reads
		both := slices.ContainsFunc(reads, func(r string) bool { return slices.Contains(writes, r) })
		if !both {
			t.Errorf("%s writes %v, %s reads %v", test.write, writes, test.read, reads)
		}
	}
}

// TestEffectIsQuick measures what a statement costs that is seen for the first time.
func TestEffectIsQuick(t *testing.T) {
	_, s := withServer(t, schema)
	d := postgres.New(postgres.Options{})
	for _, statement := range []string{
		"SELECT * FROM users WHERE id = $1", "SELECT seen::date FROM people2, users",
		"DELETE FROM users",
	} {
		s.effect(d, statement)
		begun := time.Now()
		const times = 10
		for range times {
			s.effect(d, statement)
		}
		t.Logf("%s: %v", statement, time.Since(begun)/times)
	}
	begun := time.Now()
	s.identity(d)
	s.identity(d)
	t.Logf("identity: %v", time.Since(begun)/2)
}
