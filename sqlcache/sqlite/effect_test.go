// effect_test.go lists statements with their effects.

package sqlite_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/larder-go/larder/sqlcache"
	"github.com/larder-go/larder/sqlcache/sqlite"
)

// shop is a schema with all that hides tables from the eye.
var shop = []string{
	"PRAGMA foreign_keys = ON",
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, age INT)",
	"CREATE INDEX users_name ON users (name)",
	"CREATE INDEX users_young ON users (age) WHERE age < 18",
	`CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT,
		user_id INT REFERENCES users ON DELETE CASCADE, total REAL, data TEXT)`,
	"CREATE INDEX orders_user ON orders (user_id, total)",
	`CREATE TABLE lines (order_id INT REFERENCES orders ON DELETE CASCADE, n INT, what TEXT,
		PRIMARY KEY (order_id, n)) WITHOUT ROWID`,
	`CREATE TABLE Tags (name TEXT PRIMARY KEY, user_id INT DEFAULT 1
		REFERENCES users ON DELETE SET NULL ON UPDATE CASCADE)`,
	`CREATE TABLE "odd.Name" (a, b GENERATED ALWAYS AS (upper(a)) STORED, c AS (length(a)))`,
	"CREATE TABLE log (at, what)",
	"CREATE TABLE audit (n)",
	"CREATE TABLE calm (a PRIMARY KEY, b)",
	"CREATE VIEW adults AS SELECT * FROM users WHERE age >= 18",
	"CREATE VIEW spenders AS SELECT a.name, sum(o.total) s FROM adults a, orders o " +
		"WHERE o.user_id = a.id GROUP BY a.id",
	"CREATE VIEW clock AS SELECT datetime('now') AS t",
	"CREATE VIEW dice AS SELECT random() AS r, * FROM calm",
	"CREATE VIEW door AS SELECT a FROM calm",
	"CREATE TRIGGER door_in INSTEAD OF INSERT ON door BEGIN INSERT INTO audit VALUES (new.a); END",
	"CREATE TRIGGER log_it AFTER INSERT ON log BEGIN UPDATE audit SET n = n + 1; END",
	"CREATE TRIGGER age_it AFTER UPDATE OF age ON users BEGIN " +
		"INSERT INTO log VALUES (new.id, CASE WHEN new.age > 1 THEN 'a;' ELSE ';' END); END",
	"CREATE VIRTUAL TABLE docs USING fts5(body)",
	"INSERT INTO users VALUES (1, 'Ann', 30), (2, 'Bob', 12)",
	"INSERT INTO orders VALUES (1, 1, 9.5, '{\"a\":1}')",
}

func TestEffectOfWhatMayBeKept(t *testing.T) {
	b := fresh(t, shop...)
	for _, test := range []struct{ statement, reads string }{
		{"SELECT 1", ""},
		{"VALUES (1, 'a'), (2, 'b')", ""},
		{"SELECT ?, :a, @b, $c, ?7", ""},
		{"SELECT * FROM users", "users"},
		{"select * from MAIN.Users;", "users"},
		{" -- hello\n/* ; */ SELECT * FROM [users] ; ; -- bye", "users"},
		{"\xEF\xBB\xBFSELECT name FROM \"users\"", "users"},
		{"SELECT name FROM users WHERE name = 'a;b''c' COLLATE BINARY", "users"},
		{"SELECT user_id, total FROM orders INDEXED BY orders_user", "orders"}, // the index alone
		{"SELECT count(*) FROM users", "users"},
		{"SELECT count(*) FROM users WHERE age < 18", "users"},
		{"SELECT min(name), max(name) FROM users", "users"},
		{"SELECT * FROM users WHERE id = 1 OR name = 'x' OR age < 3", "users"},
		{"SELECT * FROM lines WHERE order_id = ?", "lines"},
		{"SELECT name FROM tags", "tags"},
		{"SELECT a, b, c FROM \"odd.Name\"", "odd.name"},
		{"SELECT * FROM adults", "users"},
		{"SELECT * FROM spenders", "orders users"},
		{"SELECT * FROM users u LEFT JOIN orders o ON o.user_id = u.id", "orders users"},
		{"SELECT * FROM users u FULL JOIN calm c ON c.b = u.age", "calm users"},
		{"SELECT * FROM calm x, calm y WHERE x.b = y.b", "calm"}, // an index made on the way
		{"SELECT (SELECT max(total) FROM orders WHERE user_id = u.id) FROM users u",
			"orders users"},
		{"SELECT 1 WHERE EXISTS (SELECT 1 FROM log)", "log"},
		{"SELECT a FROM calm WHERE b IN (SELECT n FROM audit)", "audit calm"},
		{"SELECT a FROM calm WHERE b NOT IN (SELECT n FROM audit) ORDER BY b", "audit calm"},
		{"SELECT id FROM users UNION SELECT n FROM audit ORDER BY 1", "audit users"},
		{"SELECT id FROM users EXCEPT SELECT n FROM audit", "audit users"},
		{"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c, calm LIMIT 9) " +
			"SELECT * FROM c", "calm"},
		{"WITH m AS MATERIALIZED (SELECT * FROM users) SELECT * FROM m a, m b", "users"},
		{"SELECT row_number() OVER (ORDER BY age), lag(name, 1) OVER w, sum(age) OVER w, " +
			"ntile(2) OVER w FROM users WINDOW w AS (PARTITION BY age ORDER BY id)", "users"},
		{"SELECT group_concat(name, ';' ORDER BY id), count(DISTINCT age), total(age) " +
			"FROM users GROUP BY age HAVING count(*) > 0", "users"},
		{"SELECT upper(name), substr(name, 1, 2), abs(age), round(1.5), coalesce(age, 1), " +
			"iif(age, 1, 2), hex(name), printf('%d', age), json_extract(data, '$.a'), " +
			"data->>'$.a', likely(age), typeof(age), length(name) FROM users, orders",
			"orders users"},
		{"SELECT json_group_array(name), json_object('a', 1) FROM users", "users"},
		{"SELECT * FROM users WHERE name LIKE 'a%' AND name GLOB '*' OR name BETWEEN ? AND ?",
			"users"},
		{"SELECT CASE age WHEN 1 THEN 'END' ELSE cast(age AS TEXT) END FROM users", "users"},
		{"SELECT rowid, _rowid_, oid FROM log", "log"},
		{"SELECT DISTINCT age FROM users LIMIT 3 OFFSET 1", "users"},
		{"SELECT 'now', 'date()', 'random()'", ""},
		{"SELECT * FROM sqlite_sequence", "sqlite_sequence"},
		{"SELECT * FROM docs_content", "docs_content"},
		{"SELECT count(*) FILTER (WHERE age > 2) FROM users", "users"},
		{"SELECT * FROM (SELECT * FROM users ORDER BY age LIMIT 1) JOIN audit", "audit users"},
		{"SELECT (1, 2) < (SELECT id, age FROM users)", "users"},
		{"SELECT x'0a', 0x1F, 1e3, 1_000, .5, -1, ~1, not 1, 1 IS NULL, 1 <> 2, 'a' || 'b'", ""},
	} {
		want := sqlcache.Effect{Cacheable: true, Reads: tables(test.reads)}
		if got := b.effect(test.statement); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.statement, got, want)
		}
		_, err := b.rows(test.statement)
		if err != nil && !strings.Contains(err.Error(), "missing") {
			t.Errorf("%s: %v", test.statement, err)
		}
	}
}

// tables returns names with their database.
func tables(names string) (all []string) {
	for _, name := range strings.Fields(names) {
		all = append(all, "main."+name)
	}
	return all
}

func TestEffectOfWhatMustNotBeKept(t *testing.T) {
	b := fresh(t, append(shop, "CREATE TEMP TABLE mine (a)", "ATTACH ':memory:' AS other",
		"CREATE TABLE other.theirs (a)", "CREATE TEMP VIEW sight AS SELECT * FROM users")...)
	for _, test := range []struct{ statement, reason string }{
		{"SELECT random()", "calls random()"},
		{"SELECT * FROM users ORDER BY random()", "calls random()"},
		{"SELECT * FROM users ORDER BY RANDOM ( ) LIMIT 1", "calls random()"},
		{"SELECT hex(randomblob(4))", "calls randomblob()"},
		{"SELECT * FROM dice", "calls random()"},
		{"SELECT current_timestamp", "calls current_timestamp()"},
		{"SELECT CURRENT_DATE", "calls current_date()"},
		{"SELECT current_time FROM users", "calls current_time()"},
		{"SELECT date('now')", "calls date()"},
		{"SELECT DateTime()", "calls datetime()"},
		{"SELECT strftime('%s', at) FROM log", "calls strftime()"},
		{"SELECT julianday('2020-01-01')", "calls julianday()"},
		{"SELECT unixepoch(at), time(at) FROM log WHERE at > datetime('now', '-1 day')", ""},
		{"SELECT timediff('now', at) FROM log", "calls timediff()"},
		{"SELECT * FROM clock", "calls datetime()"},
		{"SELECT changes()", "calls changes()"},
		{"SELECT total_changes()", "calls total_changes()"},
		{"SELECT last_insert_rowid()", "calls last_insert_rowid()"},
		{"SELECT sqlite_version()", "calls sqlite_version()"},
		{"SELECT sqlite_source_id()", "calls sqlite_source_id()"},
		{"SELECT sqlite_offset(name) FROM users", "calls sqlite_offset()"},
		{"SELECT * FROM sqlite_schema", "reads the schema"},
		{"SELECT * FROM sqlite_master WHERE name = 'x'", "reads the schema"},
		{"SELECT * FROM users, sqlite_master", "reads the schema"},
		{"SELECT * FROM json_each('[1]')", "reads a virtual table"},
		{"SELECT j.value FROM orders, json_tree(data) j", "reads a virtual table"},
		{"SELECT * FROM pragma_table_info('users')", "reads a virtual table"},
		{"SELECT * FROM pragma_foreign_keys", "reads a virtual table"},
		{"SELECT * FROM docs", "reads a virtual table"},
		{"SELECT * FROM docs WHERE docs MATCH 'a'", "reads a virtual table"},
		{"SELECT * FROM mine", "reads a table that is temporary or attached"},
		{"SELECT * FROM other.theirs", "reads a table that is temporary or attached"},
		{"SELECT * FROM theirs", "reads a table that is temporary or attached"},
		{"SELECT * FROM temp.sqlite_schema", "reads a table that is temporary or attached"},
		{"SELECT * FROM nosuch", "does not compile"},
		{"SELECT nosuch FROM users", "does not compile"},
		{"SELEC 1", "does not compile"},
		{"SELECT 'a", "does not compile"},
		{"SELECT 1 /* a", ""},
		{"QUERY SELECT 1", "does not compile"},
		{"INSERT INTO nosuch VALUES (1)", "does not compile"},
		{"", "is empty"},
		{" ; -- nothing\n ;", "is empty"},
		{"EXPLAIN SELECT * FROM users", "explains a statement"},
		{"EXPLAIN QUERY PLAN DELETE FROM users", "explains a statement"},
		{"EXPLAIN SELECT pragma FROM users", "explains a statement"},
		{"PRAGMA foreign_keys", "is a pragma"},
		{"PRAGMA main.table_info(users)", "is a pragma"},
		{"PRAGMA table_info = users", "is a pragma"},
		{"PRAGMA \"data_version\"", "is a pragma"},
		{"PRAGMA journal_mode", "is a pragma"},
		{"PRAGMA user_version = 3", "is a pragma"},
		{"pragma case_sensitive_like", "is a pragma"},
		{"EXPLAIN PRAGMA user_version = 3", "is a pragma"},
		{"PRAGMA schema_version", "is a pragma"},
	} {
		got := b.effect(test.statement)
		if want := (sqlcache.Effect{Reason: test.reason}); test.reason != "" &&
			!reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.statement, got, want)
		}
		if got.WritesAll || got.Session != 0 || test.reason != "" && got.Cacheable {
			t.Errorf("%s: %+v", test.statement, got)
		}
	}
}

func TestEffectOfWritesNamesAllTables(t *testing.T) {
	b := fresh(t, shop...)
	for _, test := range []struct{ statement, writes string }{
		{"INSERT INTO users VALUES (?, ?, ?)", "users"},
		{"INSERT INTO calm SELECT id, name FROM users", "calm"},
		{"INSERT INTO calm SELECT * FROM calm", "calm"},
		{"INSERT INTO calm VALUES (1, 2) RETURNING *", "calm"},
		{"INSERT INTO calm VALUES (1, 2) ON CONFLICT (a) DO UPDATE SET b = excluded.b", "calm"},
		{"INSERT INTO users VALUES (1, 'a', 2) ON CONFLICT DO UPDATE SET age = 3",
			"audit log users"},
		{"REPLACE INTO users VALUES (1, 'a', 2)", "lines orders tags users"},
		{"INSERT OR REPLACE INTO users VALUES (1, 'a', 2)", "lines orders tags users"},
		{"INSERT OR IGNORE INTO calm VALUES (random(), date('now'))", "calm"},
		{"INSERT INTO orders (total) VALUES (1)", "orders sqlite_sequence"},
		{"INSERT INTO lines VALUES (1, 2, 'x')", "lines"},
		{"INSERT INTO \"odd.Name\" (a) VALUES ('a')", "odd.name"},
		{"INSERT INTO door VALUES (1)", "audit"},
		{"INSERT INTO log VALUES (1, 2)", "audit log"},
		{"WITH x AS (SELECT 1 a) INSERT INTO calm SELECT a, a FROM x", "calm"},
		{"UPDATE users SET name = 'x'", "users"},
		{"UPDATE users SET age = 1 WHERE id = 2", "audit log users"},
		{"UPDATE calm SET b = (SELECT count(*) FROM users) WHERE a = 1", "calm"},
		{"UPDATE calm SET b = u.age FROM users u WHERE u.id = a", "calm"},
		{"UPDATE users SET id = id + 1", "tags users"},
		{"DELETE FROM users", "lines orders tags users"},
		{"DELETE FROM users WHERE id = 1 RETURNING id", "lines orders tags users"},
		{"DELETE FROM calm", "calm"}, // all at once
		{"DELETE FROM log", "log"},
		{"DELETE FROM lines WHERE order_id = 1", "lines"},
		{"DELETE FROM orders WHERE id IN (SELECT value FROM json_each(?))", "lines orders"},
		{"INSERT INTO calm SELECT name, 1 FROM pragma_table_info('users')", "calm"},
		{"DELETE FROM sqlite_sequence WHERE name = 'orders'", "sqlite_sequence"},
		{"INSERT INTO calm DEFAULT VALUES;", "calm"},
	} {
		want := sqlcache.Effect{Writes: tables(test.writes)}
		if got := b.effect(test.statement); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.statement, got, want)
		}
	}
}

func TestEffectOfWritesSeesWhatIsTemporary(t *testing.T) {
	b := fresh(t, append(shop, "CREATE TEMP TABLE calm (a)", "CREATE TEMP TABLE mine (a)",
		"CREATE TEMP TRIGGER spy AFTER INSERT ON main.audit BEGIN INSERT INTO mine VALUES (1); "+
			"DELETE FROM main.log; END")...)
	for statement, writes := range map[string]string{
		"INSERT INTO calm VALUES (1)":          "", // nothing that is kept depends on it
		"INSERT INTO main.calm VALUES (1, 2)":  "calm",
		"DELETE FROM mine":                     "",
		"INSERT INTO audit VALUES (1)":         "audit log",
		"INSERT INTO mine SELECT n FROM audit": "",
	} {
		got := b.effect(statement)
		if want := (sqlcache.Effect{Writes: tables(writes)}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", statement, got, want)
		}
	}
}

func TestEffectOfForeignKeysDependsOnTheirSetting(t *testing.T) {
	b := fresh(t, shop...)
	before := b.identity()
	b.exec("PRAGMA foreign_keys = OFF")
	if got := b.effect("DELETE FROM users").Writes; !reflect.DeepEqual(got, tables("users")) {
		t.Errorf("without foreign keys DELETE writes %v", got)
	}
	if b.identity() == before {
		t.Error("the identity does not tell foreign_keys")
	}
}

func TestEffectOfWritesThatNameNoTable(t *testing.T) {
	b := fresh(t, append(shop, "ATTACH ':memory:' AS other", "CREATE TABLE other.theirs (a)",
		"PRAGMA writable_schema = ON")...)
	for _, statement := range []string{
		"INSERT INTO docs VALUES ('a')",
		"DELETE FROM docs WHERE rowid = 1",
		"INSERT INTO other.theirs VALUES (1)",
		"UPDATE sqlite_schema SET sql = sql",
		"DELETE FROM sqlite_master WHERE 0",
		"ANALYZE", "VACUUM", "REINDEX users", "PRAGMA optimize",
		"ALTER TABLE calm RENAME TO quiet",
		"CREATE TABLE x AS SELECT * FROM users", "CREATE INDEX i ON users (id)", "DROP TABLE calm",
		"CREATE TEMP TRIGGER x AFTER INSERT ON calm BEGIN SELECT 1; SELECT 2; END;",
		"create temporary trigger x after insert on calm begin select case 1 when 1 then 2 end; " +
			"end",
		"INSERT INTO calm VALUES (1, 2); SELECT 1", "SELECT 1; SELECT 2;",
		"SELECT geopoly_debug(1)",
	} {
		got := b.effect(statement)
		if !got.WritesAll || got.Cacheable || got.Session == sqlcache.SessionUnknown {
			t.Errorf("%s: %+v", statement, got)
		}
	}
}

func TestEffectOfWhatChangesTheConnection(t *testing.T) {
	b := fresh(t, shop...)
	for _, test := range []struct {
		session    sqlcache.Session
		statements []string
	}{
		{sqlcache.SessionChanged, []string{
			"PRAGMA foreign_keys = ON", "PRAGMA main.foreign_keys(1)",
			"pragma recursive_triggers=1",
			"PRAGMA case_sensitive_like = ON", "PRAGMA 'read_uncommitted' = 1",
			"EXPLAIN PRAGMA foreign_keys = ON", "EXPLAIN QUERY PLAN PRAGMA foreign_keys = ON",
			"PRAGMA temp_store = MEMORY", "ATTACH 'x' AS x", "DETACH x", "CREATE TEMP TABLE x (a)",
			"CREATE TABLE temp.x (a)", "DROP TABLE x", "SELECT 1; CREATE TABLE x (a)",
			"BEGIN; COMMIT",
		}},
		{sqlcache.SessionUnknown, []string{
			"PRAGMA schema_version = 3", "PRAGMA writable_schema = 1",
			"PRAGMA key = 'secret'", "PRAGMA", "PRAGMA main.", "SELECT load_extension('x')",
			"SELECT 1; PRAGMA foreign_keys = ON",
			"SELECT 1\x00; DELETE FROM users",
			"SELECT $a('); DELETE FROM users; --')",
			"INSERT INTO calm SELECT load_extension('x'), 1",
			"CREATE TABLE x AS SELECT \"load_extension\"('x')",
			"SELECT 1; SELECT load_extension('x')",
		}},
	} {
		for _, s := range test.statements {
			if got := b.effect(s); got.Session != test.session || got.Cacheable {
				t.Errorf("%s: %+v", s, got)
			}
		}
	}
}

func TestEffectOfTransactions(t *testing.T) {
	b := fresh(t)
	for statement, want := range map[string]sqlcache.Transaction{
		"BEGIN": sqlcache.Begin, "begin immediate transaction": sqlcache.Begin,
		"COMMIT": sqlcache.Commit, "END TRANSACTION;": sqlcache.Commit,
		"ROLLBACK": sqlcache.Rollback, "/**/ROLLBACK TRANSACTION \"TO\"": sqlcache.Rollback,
		"ROLLBACK TO a": sqlcache.NoTransaction, "rollback transaction to savepoint a": 0,
		"SAVEPOINT a": sqlcache.Savepoint, "release savepoint a": sqlcache.Savepoint,
	} {
		got := b.effect(statement)
		if !reflect.DeepEqual(got, sqlcache.Effect{Transaction: want}) {
			t.Errorf("%s: %+v", statement, got)
		}
	}
}

func TestEffectTrustsWhoVouchesForFunctions(t *testing.T) {
	b := fresh(t, append(shop, "DROP VIEW clock")...)
	b.d = sqlite.New(sqlite.Options{Pure: []string{"DATE", "strftime", "sqlite_version"}})
	for statement, reason := range map[string]string{
		"SELECT date(at), date('2020-01-01', '+1 day') FROM log": "",
		"SELECT strftime('%Y', at), 'known' FROM log":            "",
		"SELECT strftime('%Y', (SELECT max(1, 2)))":              "",
		"SELECT sqlite_version()":                                "",
		"SELECT date FROM (SELECT date(1) AS date)":              "",
		"SELECT date('now')":                                     "asks for the time of now",
		"SELECT date(' NOW ')":                                   "asks for the time of now",
		"SELECT date(\"now\")":                                   "asks for the time of now",
		"SELECT 'now', date(at) FROM log":                        "asks for the time of now",
		"SELECT date()":                                          "asks for the time of now",
		"SELECT \"date\"( /* */ )":                               "asks for the time of now",
		"SELECT strftime('%Y')":                                  "asks for the time of now",
		"SELECT strftime(('%Y'))":                                "asks for the time of now",
		"SELECT strftime(max('%Y', '%Y', '%Y'))":                 "asks for the time of now",
		"SELECT date(at, 'localtime') FROM log":                  "asks for the time of now",
		"SELECT time(at) FROM log":                               "calls time()",
	} {
		got := b.effect(statement)
		if got.Cacheable != (reason == "") || got.Reason != reason || got.WritesAll {
			t.Errorf("%s: %+v", statement, got)
		}
	}
	b.exec("CREATE VIEW clock AS SELECT date('now') AS t")
	if got := b.effect("SELECT * FROM clock"); got.Cacheable {
		t.Errorf("a view hides the clock: %+v", got)
	}
}
