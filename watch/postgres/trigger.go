// trigger.go writes the SQL of a trigger, for changes that no program of ours makes.

package postgres

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Trigger describes a trigger that tells the key of every row that is changed, whoever changes it.
// The key is Prefix and the text of the row's column: rows of users with the prefix "user:" and the
// column id tell "user:42". If an update changes the column, both keys are told; TRUNCATE tells
// "clear", and so does a row whose column is NULL or too long.
//
// It sends one notification a row: PostgreSQL drops equal ones of a transaction, but a statement
// that changes a million rows sends a million.
type Trigger struct {
	Table     pgx.Identifier // {"users"} or {"schema", "users"}, as the catalog spells it
	KeyColumn string         // as the catalog spells it
	Prefix    string         // stands before the column in the key
	Channel   string         // "" means DefaultChannel
}

// SQL returns the statements that make the trigger, or make it anew. They need the right to create
// functions in the schema of the table; several statements can be executed by one Exec of pgx
// without arguments. It panics if a name is empty or no text.
func (t Trigger) SQL() string {
	function, trigger := t.names()
	table := t.Table.Sanitize()
	return fmt.Sprintf(`CREATE OR REPLACE FUNCTION %[1]s() RETURNS trigger
	LANGUAGE plpgsql AS %[2]s;
DROP TRIGGER IF EXISTS %[3]s ON %[5]s;
CREATE TRIGGER %[3]s AFTER INSERT OR UPDATE OR DELETE ON %[5]s
	FOR EACH ROW EXECUTE PROCEDURE %[1]s();
DROP TRIGGER IF EXISTS %[4]s ON %[5]s;
CREATE TRIGGER %[4]s AFTER TRUNCATE ON %[5]s
	FOR EACH STATEMENT EXECUTE PROCEDURE %[1]s();
`, function, quote(t.body()), pgx.Identifier{trigger}.Sanitize(),
		pgx.Identifier{trigger + "_all"}.Sanitize(), table)
}

// DropSQL returns the statements that remove the trigger, if it is there.
func (t Trigger) DropSQL() string {
	function, trigger := t.names()
	table := t.Table.Sanitize()
	return fmt.Sprintf(`DROP TRIGGER IF EXISTS %[1]s ON %[3]s;
DROP TRIGGER IF EXISTS %[2]s ON %[3]s;
DROP FUNCTION IF EXISTS %[4]s();
`, pgx.Identifier{trigger}.Sanitize(), pgx.Identifier{trigger + "_all"}.Sanitize(), table, function)
}

// body returns the body of the function.
func (t Trigger) body() string {
	channel := quote(t.channel())
	column := pgx.Identifier{t.KeyColumn}.Sanitize()
	tell := func(row string) string {
		return fmt.Sprintf(`payload := %s || %s.%s::text;
		IF payload IS NULL OR octet_length(payload) > %d THEN
			payload := '%s';
		END IF;
		PERFORM pg_catalog.pg_notify(%s, payload);`,
			quote(keyPayload+t.Prefix), row, column, maxPayload, clearPayload, channel)
	}
	return fmt.Sprintf(`
DECLARE
	payload text;
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM pg_catalog.pg_notify(%[1]s, '%[2]s');
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		%[3]s
	END IF;
	IF TG_OP <> 'DELETE' THEN
		%[4]s
	END IF;
	RETURN NULL;
END
`, channel, clearPayload, tell("OLD"), tell("NEW"))
}

func (t Trigger) channel() string {
	if t.Channel == "" {
		return DefaultChannel
	}
	return t.Channel
}

// names returns the name of the function, quoted and in the schema of the table, and the name of
// the trigger. They differ for triggers that differ, and are short enough for PostgreSQL.
func (t Trigger) names() (function, trigger string) {
	t.check()
	h := fnv.New64a()
	for _, part := range append([]string{t.KeyColumn, t.Prefix, t.channel()}, t.Table...) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	trigger = fmt.Sprintf("larder_%016x", h.Sum64())
	name := append(t.Table[:len(t.Table)-1:len(t.Table)-1], trigger)
	return name.Sanitize(), trigger
}

func (t Trigger) check() {
	channel := t.channel()
	if len(t.Table) == 0 || len(channel) > maxChannel || !isText(channel) || !isText(t.Prefix) {
		panic(fmt.Sprintf("postgres: a trigger with the table %q, prefix %q and channel %q",
			t.Table, t.Prefix, t.Channel))
	}
	for _, name := range append([]string{t.KeyColumn}, t.Table...) {
		if name == "" || !isText(name) {
			panic(fmt.Sprintf("postgres: a trigger with the name %q", name))
		}
	}
}

// quote returns text as a literal of SQL that is read the same under every setting of
// standard_conforming_strings.
func quote(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if strings.Contains(text, `\`) {
		return "E'" + strings.ReplaceAll(text, `\`, `\\`) + "'"
	}
	return "'" + text + "'"
}
