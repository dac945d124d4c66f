// reads_test.go lists reads that may be kept, and wrong uses that may not.

package postgres_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/larder-go/larder/sqlcache/postgres"
)

const schema = `
CREATE TABLE users (id int PRIMARY KEY, name text, born date, team int, seen timestamptz, note json);
CREATE TABLE teams (id int PRIMARY KEY, name text);
CREATE TABLE "Odd.Name" (id int);
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE,
	day date, total numeric, state text);
CREATE TABLE shop.lines (order_id int REFERENCES shop.orders ON DELETE SET NULL, what text);
CREATE TABLE keys (code text PRIMARY KEY);
CREATE TABLE uses (code text REFERENCES keys ON UPDATE CASCADE);
CREATE TABLE days (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE days1 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE days2 PARTITION OF days FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')
	PARTITION BY RANGE (id);
CREATE TABLE days3 PARTITION OF days2 FOR VALUES FROM (0) TO (100);
CREATE TABLE animals (name text);
CREATE TABLE cats (lives int) INHERITS (animals);
CREATE VIEW people AS SELECT u.id, u.name, t.name AS team FROM users u JOIN teams t ON t.id = u.team;
CREATE VIEW people2 AS SELECT * FROM people;
CREATE VIEW fresh AS SELECT * FROM users WHERE seen > now() - interval '1 day';
CREATE VIEW mine AS SELECT * FROM users WHERE name = CURRENT_USER;
CREATE VIEW of_days AS SELECT day::timestamp AS at FROM days;
CREATE MATERIALIZED VIEW totals AS SELECT user_id, sum(total) FROM shop.orders GROUP BY 1;
CREATE SEQUENCE numbers;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN moment AS timestamptz;
CREATE DOMAIN before_now AS timestamptz CHECK (VALUE < now());
CREATE TABLE zoned (at timetz);
CREATE FUNCTION twice(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * i';
CREATE FUNCTION hides(i int) RETURNS int LANGUAGE sql AS 'INSERT INTO teams VALUES (i); SELECT i';
CREATE FUNCTION looks() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT count(*) FROM users';
CREATE FUNCTION vouched(i int) RETURNS int LANGUAGE sql AS 'SELECT i';
CREATE FUNCTION either(i int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT i';
CREATE FUNCTION either(i text) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION greeting(u users) RETURNS text LANGUAGE sql AS 'SELECT u.name || random()';
CREATE VIEW calls AS SELECT hides(id) FROM users;
CREATE FUNCTION stepper(i int, j int) RETURNS int LANGUAGE sql AS 'SELECT i + j';
CREATE AGGREGATE added(int) (sfunc = stepper, stype = int, initcond = '0');
CREATE AGGREGATE summed(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE FUNCTION same(a users, b users) RETURNS bool LANGUAGE sql AS 'SELECT random() > 1';
CREATE OPERATOR === (leftarg = users, rightarg = users, function = same);
CREATE TABLE secrets (id int, owner text);
ALTER TABLE secrets ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secrets USING (owner = CURRENT_USER);
CREATE TABLE tenants (id int, tenant text);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON tenants USING (tenant = current_setting('app.tenant', true));
CREATE TABLE guarded (id int, team int);
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON guarded USING (team IN (SELECT t.id FROM teams t WHERE t.name = CURRENT_USER));
CREATE ROLE app;
GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
GRANT ALL ON SCHEMA public TO app;
CREATE EXTENSION postgres_fdw;
CREATE EXTENSION "uuid-ossp";
CREATE TABLE tickets (id uuid DEFAULT uuid_generate_v4());
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw;
CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE TABLE near (id int);
CREATE FOREIGN TABLE far_child () INHERITS (near) SERVER elsewhere;
CREATE UNLOGGED TABLE quick (id int);
`

// kept are reads that may be kept, with the tables that they depend on.
var kept = []struct{ statement, reads string }{
	{"SELECT 1", ""},
	{"SELECT * FROM users", "public.users"},
	{"select id from public.users where name = $1 order by 1 limit 10 offset 2", "public.users"},
	{"TABLE users", "public.users"},
	{"VALUES (1, 'a'), (2, 'b')", ""},
	{"SELECT u.name, o.total FROM users u LEFT JOIN shop.orders o ON o.user_id = u.id",
		"public.users shop.orders"},
	{"SELECT * FROM teams NATURAL JOIN users, LATERAL (SELECT 1) x", "public.teams public.users"},
	{`SELECT id FROM "Odd.Name"`, "public.Odd.Name"},
	{"SELECT * FROM people", "public.people public.teams public.users"},
	{"SELECT * FROM people2", "public.people public.people2 public.teams public.users"},
	{"SELECT * FROM totals", "public.totals"},
	{"SELECT * FROM days", "public.days"},
	{"SELECT * FROM ONLY animals", "public.animals"},
	{"SELECT * FROM quick", "public.quick"},
	{"WITH x AS (SELECT * FROM users) SELECT * FROM x", "public.users"},
	{"WITH teams AS (SELECT * FROM users) SELECT * FROM teams", "public.users"},
	{"WITH teams AS (SELECT * FROM teams) SELECT * FROM teams", "public.teams"},
	{"WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b, users", "public.users"},
	{"SELECT * FROM (WITH teams AS (SELECT 1) SELECT * FROM teams) x, teams", "public.teams"},
	{"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r", ""},
	{"SELECT id FROM users UNION SELECT id FROM teams EXCEPT SELECT 3", "public.teams public.users"},
	{"SELECT count(*), sum(id), array_agg(name ORDER BY id), json_agg(u) FROM users u",
		"public.users"},
	{"SELECT rank() OVER (PARTITION BY team ORDER BY id) FROM users", "public.users"},
	{"SELECT team, count(*) FROM users GROUP BY GROUPING SETS ((team), ()) HAVING count(*) > 1",
		"public.users"},
	{"SELECT DISTINCT ON (team) * FROM users ORDER BY team, id", "public.users"},
	{"SELECT * FROM users WHERE id = ANY ($1) AND name LIKE 'a%' AND id BETWEEN 1 AND 3",
		"public.users"},
	{"SELECT * FROM users WHERE EXISTS (SELECT 1 FROM teams WHERE teams.id = users.team)",
		"public.teams public.users"},
	{"SELECT CASE WHEN id > 1 THEN coalesce(name, '-') ELSE upper(name) END FROM users",
		"public.users"},
	{"SELECT lower(name), length(name), substring(name from 1 for 2), name || 'x' FROM users",
		"public.users"},
	{"SELECT seen::date, to_char(seen, 'YYYY'), date_trunc('day', seen) FROM users", "public.users"},
	{"SELECT date_trunc('day', seen)::date, max(seen)::date, (seen + interval '1 day')::date FROM users",
		"public.users"},
	{"SELECT seen AT TIME ZONE 'UTC', extract(year FROM seen) FROM users", "public.users"},
	{"SELECT '2020-01-01'::timestamptz, $1::date, 'known'::text, 'nowhere'", ""},
	{"SELECT id::text, name::varchar(3), '{1,2}'::int[], 'good'::mood, 5::positive FROM users",
		"public.users"},
	{"SELECT $1::moment", ""},
	{"SELECT (note ->> 'x')::int, note #>> '{a,b}', row_to_json(u) FROM users u", "public.users"},
	{"SELECT twice(id), vouched(id), summed(id) OVER () FROM users", "public.users"},
	{"SELECT * FROM generate_series(1, 10) WITH ORDINALITY AS g(i, n)", ""},
	{"SELECT * FROM json_to_recordset($1) AS x(a int, b text)", ""},
	{"SELECT * FROM of_days", "public.days public.of_days"},
	{"SELECT name COLLATE \"C\" FROM users ORDER BY 1", "public.users"},
	{"SELECT (ARRAY[1,2,3])[2], ROW(1, 2), NOT true, id IS NULL, name IS DISTINCT FROM 'x' FROM users",
		"public.users"},
	{"/* now() */ SELECT 1 -- FOR UPDATE", ""},
	{"SELECT 1;", ""},
	{"SELECT $$random()$$, 'DELETE FROM users'", ""},
	{"SELECT * FROM secrets", "public.secrets"}, // its owner sees all
	{"SELECT * FROM tenants", "public.tenants"},
}

// dropped are wrong uses, with what the reason has in it.
var dropped = []struct{ statement, reason string }{
	{"SELECT now()", "calls now()"},
	{"SELECT CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP reads the clock"},
	{"SELECT CURRENT_DATE", "CURRENT_DATE reads the clock"},
	{"SELECT LOCALTIME(2)", "LOCALTIME reads the clock"},
	{"SELECT clock_timestamp()", "calls clock_timestamp()"},
	{"SELECT statement_timestamp()", "statement_timestamp()"},
	{"SELECT age(seen) FROM users", "age()"},
	{"SELECT random()", "calls random()"},
	{"SELECT * FROM users ORDER BY random() LIMIT 1", "random()"},
	{"SELECT uuid_generate_v4()", "uuid_generate_v4()"},
	{"SELECT gen_random_uuid()", "gen_random_uuid()"},
	{"SELECT nextval('numbers')", "nextval()"},
	{"SELECT currval('numbers')", "currval()"},
	{"SELECT lastval()", "lastval()"},
	{"SELECT setval('numbers', 5)", "setval()"},
	{"SELECT last_value FROM numbers", "public.numbers, which is no table"},
	{"SELECT pg_sleep(0)", "pg_sleep()"},
	{"SELECT txid_current()", "txid_current()"},
	{"SELECT pg_backend_pid()", "pg_backend_pid()"},
	{"SELECT pg_advisory_lock(1)", "pg_advisory_lock()"},
	{"SELECT pg_notify('a', 'b')", "pg_notify()"},
	{"SELECT * FROM users FOR UPDATE", "FOR UPDATE locks rows"},
	{"SELECT * FROM users FOR NO KEY UPDATE", "FOR NO KEY UPDATE"},
	{"SELECT * FROM users u FOR SHARE OF u SKIP LOCKED", "FOR SHARE"},
	{"SELECT * FROM users FOR KEY SHARE", "FOR KEY SHARE"},
	{"SELECT * FROM (SELECT * FROM users FOR UPDATE) x", "FOR UPDATE"},
	{"WITH x AS (SELECT * FROM users FOR UPDATE) SELECT * FROM x", "FOR UPDATE"},
	{"SELECT (SELECT id FROM users LIMIT 1 FOR UPDATE)", "FOR UPDATE"},
	{"SELECT CURRENT_USER", "CURRENT_USER depends on the session"},
	{"SELECT user", "USER depends on the session"},
	{"SELECT session_user, current_schema", "SESSION_USER"},
	{"SELECT current_database()", "current_database()"},
	{"SELECT current_setting('app.user')", "current_setting()"},
	{"SHOW search_path", ""},
	{"SELECT * FROM fresh", "calls now()"},
	{"SELECT * FROM mine", "CURRENT_USER"},
	{"SELECT 'now'::timestamptz", `"now" may mean the time`},
	{"SELECT timestamp 'today'", `"today"`},
	{"SELECT * FROM users WHERE seen > 'Yesterday'", `"yesterday"`},
	{"SELECT * FROM users WHERE born = '  tomorrow '", `"tomorrow"`},
	{`SELECT E'n\x6fw'::timestamptz`, `"now"`},
	{"SELECT '[now,infinity)'::tstzrange", `"now"`},
	{"SELECT '" + strings.Repeat(" ", 100) + "now'::timestamptz", `"now"`},
	{"SELECT ('n' || 'ow')::timestamptz", "may mean the time"},
	{"SELECT name::timestamptz FROM users", "may mean the time"},
	{"SELECT name::date FROM users", "may mean the time"},
	{"SELECT date(name) FROM users", "may mean the time"},
	{"SELECT max(name)::date FROM users", "may mean the time"},
	{"SELECT lower($1)::date", "may mean the time"},
	{"SELECT $1::text::date", "may mean the time"},
	{"SELECT name::moment FROM users", "may mean the time"},
	{"SELECT (note->>'at')::timestamp FROM users", "may mean the time"},
	{"SELECT seen::date FROM (SELECT name AS seen FROM users) x, (SELECT seen AS b FROM users) y",
		"may mean the time"},
	{"SELECT ARRAY[name]::date[] FROM users", "may mean the time"},
	{"SELECT * FROM json_to_record($1) AS x(a timestamptz)", "may mean the time"},
	{"SELECT '12:00'::timetz", "timetz"},
	{"SELECT * FROM zoned", "time with time zone"},
	{"SELECT $1::before_now", "now()"},
	{"SELECT 'users'::regclass", "regclass"},
	{"SELECT * FROM pg_class", "pg_catalog.pg_class, which the system keeps"},
	{"SELECT * FROM pg_stat_activity", "which the system keeps"},
	{"SELECT * FROM information_schema.tables", "which the system keeps"},
	{"SELECT * FROM pg_locks", "which the system keeps"},
	{"SELECT * FROM far", "public.far, which is elsewhere"},
	{"SELECT * FROM near", "which is elsewhere"},
	{"SELECT * FROM users TABLESAMPLE bernoulli (10)", "TABLESAMPLE"},
	{"SELECT ctid, * FROM users", "ctid says where a row is"},
	{"SELECT u.xmin FROM users u", "xmin"},
	{"SELECT * FROM nowhere", "there is no table nowhere"},
	{"SELECT xmlelement(name a)", "XML"},
	{"EXPLAIN SELECT 1", "EXPLAIN"},
	{"SELECT pg_relation_size('users')", "pg_relation_size()"},
	{"SELECT has_table_privilege('users', 'select')", "has_table_privilege()"},
	{"SELECT 1; SELECT 2", "several statements"},
	{"", "is empty"},
	{"-- nothing", "is empty"},
	{"DECLARE c CURSOR FOR SELECT 1", ""},
	{"COPY users TO STDOUT", ""},
	{"SELECT * FROM pg_temp.users", "temporary table users"},
}

// hidden are reads that may write anything.
var hidden = []struct{ statement, reason string }{
	{"SELECT hides(1)", "public.hides(), which is not immutable"},
	{"SELECT looks()", "public.looks()"},
	{"SELECT * FROM hides(1)", "hides()"},
	{"SELECT * FROM users WHERE id IN (SELECT hides(2))", "hides()"},
	{"SELECT * FROM calls", "hides()"},
	{"SELECT either(1)", "either()"},
	{"SELECT u.greeting FROM users u", "greeting()"},
	{"SELECT (u).greeting FROM users u", "greeting()"},
	{"SELECT added(id) FROM users", "added()"},
	{"SELECT a === b FROM users a, users b", "same()"},
	{"SELECT a OPERATOR(public.===) b FROM users a, users b", "same()"},
	{"SELECT set_config('search_path', 'x', false)", "set_config()"},
	{"SELECT query_to_xml('delete from users', true, true, '')", "query_to_xml()"},
	{"SELECT absent(1)", "there is no function absent()"},
	{"SELECT * INTO copied FROM users", "SELECT INTO"},
	{"SELECT FROM WHERE", "cannot be parsed"},
	{"SELECT 1\x00; DELETE FROM users", "cannot be parsed"},
	{"SELECT '\xff'", "cannot be parsed"},
	{"SELECT 1; COMMIT", ""},
	{"EXPLAIN ANALYZE SELECT hides(1)", ""},
	{"DO 'BEGIN END'", "DO runs"},
	{"CALL something()", "CALL runs"},
	{"EXECUTE x", "EXECUTE runs"},
	{"COPY users FROM PROGRAM 'id'", "program"},
	{"PREPARE TRANSACTION 'x'", "two phases"},
	{"COMMIT AND CHAIN", "ends a transaction and begins one"},
	{"SELECT 1" + strings.Repeat("+1", 1000), "too deeply"},
	{"SELECT " + strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), "too deeply"},
	{"SELECT '" + strings.Repeat("x", 1<<20) + "'", "longer than"},
}

func TestEffectOfReads(t *testing.T) {
	_, s := withServer(t, schema)
	d := postgres.New(postgres.Options{Pure: []string{"vouched"}})
	for _, test := range kept {
		e := s.effect(d, test.statement)
		if want := strings.Fields(test.reads); !e.Cacheable || !slices.Equal(e.Reads, want) {
			t.Errorf("%s: %v, %q, reads %v; want %v",
				test.statement, e.Cacheable, e.Reason, e.Reads, want)
		}
	}
	for _, test := range dropped {
		e := s.effect(d, test.statement)
		if e.Cacheable || e.WritesAll || len(e.Writes) > 0 || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%.200s: %+v; want %q, and no writes", test.statement, e, test.reason)
		}
	}
	for _, test := range hidden {
		e := s.effect(d, test.statement)
		if e.Cacheable || !e.WritesAll || !strings.Contains(e.Reason, test.reason) {
			t.Errorf("%.200s: %+v; want %q, and writes to all", test.statement, e, test.reason)
		}
	}
}
