// identity.go names what results of a connection depend on besides the tables.

package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/larder-go/larder/sqlcache"
)

// settings are the pragmas that change rows, their order, the names of columns, or what triggers
// and foreign keys write.
var settings = []string{
	"automatic_index", "count_changes", "encoding", "foreign_keys", "full_column_names",
	"recursive_triggers", "reverse_unordered_selects", "short_column_names", "trusted_schema",
}

// Identity implements sqlcache.Dialect: the file, the version of SQLite, settings, functions and
// collations. It is "" where rows may be seen that others do not see.
func (d *Dialect) Identity(ctx context.Context, q sqlcache.Querier) (string, error) {
	file, err := databaseFile(ctx, q)
	if err != nil || file == "" {
		return "", err
	}
	if alone, err := isAlone(ctx, q); err != nil || alone {
		return "", err
	}
	h := sha256.New()
	for _, name := range settings {
		if err := addRows(ctx, q, h, "PRAGMA "+name); err != nil {
			return "", err
		}
	}
	for _, s := range []string{
		"SELECT sqlite_version(), 'a' LIKE 'A'", // the second tells case_sensitive_like
		"PRAGMA function_list", "PRAGMA collation_list",
	} {
		if err := addRows(ctx, q, h, s); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%s %x", file, h.Sum(nil)[:16]), nil
}

// addRows adds the result of a statement to a hash, its rows in whatever order.
func addRows(ctx context.Context, q sqlcache.Querier, h hash.Hash, statement string) error {
	rows, err := q.Query(ctx, statement)
	if err != nil {
		return fmt.Errorf("sqlcache/sqlite: %s: %w", statement, err)
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		if statement == "PRAGMA collation_list" {
			row = row[1:] // without its number
		}
		lines[i] = line(row)
	}
	slices.Sort(lines)
	fmt.Fprintf(h, "%s\n%q\n", statement, lines)
	return nil
}

// line writes a row as a text.
func line(row []driver.Value) string {
	var b []byte
	for _, v := range row {
		if t, ok := v.([]byte); ok {
			v = string(t)
		}
		b = fmt.Appendf(b, "%v\x00", v)
	}
	return string(b)
}

// isAlone reports whether the connection may see what no other sees: temporary tables, changes
// that are not committed, a schema that somebody is writing.
func isAlone(ctx context.Context, q sqlcache.Querier) (bool, error) {
	if rows, err := q.Query(ctx, "PRAGMA main.locking_mode"); err != nil {
		return false, fmt.Errorf("sqlcache/sqlite: ask for the locking mode: %w", err)
	} else if len(rows) != 1 || text(rows[0][0]) != "normal" {
		return true, nil // and keeps others out
	}
	for _, statement := range []string{
		"SELECT count(*) FROM sqlite_temp_master", "PRAGMA read_uncommitted",
		"PRAGMA writable_schema",
	} {
		n, err := number(ctx, q, statement)
		if err != nil {
			return false, fmt.Errorf("sqlcache/sqlite: %s: %w", statement, err)
		}
		if n != 0 {
			return true, nil
		}
	}
	return false, nil
}

// databaseFile returns the file of the database, or "" if there is none, or more than one.
func databaseFile(ctx context.Context, q sqlcache.Querier) (string, error) {
	rows, err := q.Query(ctx, "PRAGMA database_list")
	if err != nil {
		return "", fmt.Errorf("sqlcache/sqlite: ask for the file: %w", err)
	}
	file := ""
	for _, row := range rows {
		switch name := text(row[1]); name {
		case "main":
			file = text(row[2])
		case "temp":
		default:
			return "", nil
		}
	}
	return resolve(file), nil
}

// isPlace reports whether a file that resolve has named is still the one of that name.
func isPlace(place string) bool {
	name, err := strconv.QuotedPrefix(place)
	if err != nil {
		return false
	}
	file, err := strconv.Unquote(name)
	if err != nil {
		return false
	}
	info, err := os.Stat(file)
	return err == nil && place == name+" "+inode(info)
}

// resolve returns the full name of a file without links, with what tells it from another of that
// name. "" means that it is no file, for example since it is in memory.
func resolve(file string) string {
	if file == "" {
		return ""
	}
	full, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	if full, err = filepath.EvalSymlinks(full); err != nil {
		return ""
	}
	info, err := os.Stat(full)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return fmt.Sprintf("%q %s", full, inode(info))
}
