// install.go makes a database tell what is written to it, by whomever.

package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"unicode/utf8"
)

// DefaultChannel is the channel of notifications where none is named; it is that of watch/postgres.
const DefaultChannel = "larder"

// Execer is what [Install] needs of a *sql.DB, *sql.Tx or *sql.Conn.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// InstallOptions of [Install]; the zero value takes all tables.
type InstallOptions struct {
	// Channel is where changes are told, 63 bytes at most; "" means [DefaultChannel].
	Channel string
	// Tables are the tables whose changes are told, as they are written in SQL: "users",
	// `shop."Order"`. nil means all tables, partitions too, that are not the system's.
	Tables []string
}

// Installed says what [Install] was allowed to do.
type Installed struct {
	// Schema is set if changes of the schema are told, and REFRESH MATERIALIZED VIEW: that takes a
	// superuser. Without it only caches that make such a change themselves know of it.
	Schema bool
}

// Install makes a database tell on a channel which tables are written: a cache hears it by a
// Watcher of watch/postgres. It makes a schema larder_notify with a trigger's function, a trigger on each
// table and, if the role may, two event triggers: all of it or nothing. Doing it again is harmless,
// and needed after tables were made. It waits for those who write to the tables.
//
// What TRUNCATE, COPY and foreign keys change is told, but not what logical replication brings in,
// nor what is written while triggers are disabled.
func Install(ctx context.Context, db Execer, o InstallOptions) (Installed, error) {
	channel, err := o.channel()
	if err != nil {
		return Installed{}, err
	}
	tables := "NULL"
	if o.Tables != nil {
		tables = "ARRAY[" + quoteAll(o.Tables) + "]::pg_catalog.text[]"
	}
	label := labelOf(channel)
	body := strings.NewReplacer("@label", label, "@channel", quote(channel), "@tables", tables).
		Replace(installSQL)
	if _, err := db.ExecContext(ctx, "DO "+quote(body)); err != nil {
		return Installed{}, fmt.Errorf("postgres: install: %w", err)
	}
	var all bool
	look := strings.ReplaceAll(installedSQL, "@label", label)
	if err := db.QueryRowContext(ctx, look).Scan(&all); err != nil {
		return Installed{}, fmt.Errorf("postgres: look at what was installed: %w", err)
	}
	return Installed{Schema: all}, nil
}

// Uninstall removes from all tables what Install has made for a channel; the tables in o do not
// matter. Nothing need be there.
func Uninstall(ctx context.Context, db Execer, o InstallOptions) error {
	channel, err := o.channel()
	if err != nil {
		return err
	}
	body := strings.ReplaceAll(uninstallSQL, "@label", labelOf(channel))
	if _, err := db.ExecContext(ctx, "DO "+quote(body)); err != nil {
		return fmt.Errorf("postgres: uninstall: %w", err)
	}
	return nil
}

// channel returns the channel to tell on.
func (o InstallOptions) channel() (string, error) {
	const maxChannel = 63 // NAMEDATALEN - 1
	for _, t := range o.Tables {
		if !isText(t) {
			return "", fmt.Errorf("postgres: table %q is no text", t)
		}
	}
	switch {
	case o.Channel == "":
		return DefaultChannel, nil
	case len(o.Channel) > maxChannel || !isText(o.Channel):
		return "", errors.New("postgres: the channel is no text of at most 63 bytes")
	}
	return o.Channel, nil
}

// labelOf returns the part that the names of what is made for a channel have in common.
func labelOf(channel string) string {
	h := fnv.New64a()
	h.Write([]byte(channel))
	return fmt.Sprintf("larder_%016x", h.Sum64())
}

// isText reports whether PostgreSQL can have s as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// quote returns text as a literal that is read the same under every setting.
func quote(text string) string {
	text = strings.ReplaceAll(text, "'", "''")
	if strings.Contains(text, `\`) {
		return "E'" + strings.ReplaceAll(text, `\`, `\\`) + "'"
	}
	return "'" + text + "'"
}

func quoteAll(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = quote(s)
	}
	return strings.Join(quoted, ", ")
}
