// notify.go sends what was changed, from Go.

package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/larder-go/larder/store"
)

// maxPayload is the length of the longest payload, in bytes: PostgreSQL refuses 8000.
const maxPayload = 7999

// How payloads begin, or what they are.
const (
	keyPayload   = "key:"
	tagPayload   = "tag:"
	clearPayload = "clear"
)

// Execer is what Notify needs of a connection, a transaction or a pool of pgx.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Notify tells all who watch channel that something has changed: a key, a tag or everything. "" is
// [DefaultChannel]. By a transaction it is told when that commits, after which others read what is
// new; by a connection or a pool it is told at once, so call it after the change.
//
// With database/sql execute "SELECT pg_notify($1, $2)" with the channel and [Payload].
func Notify(ctx context.Context, db Execer, channel string, e store.Event) error {
	payload, err := Payload(e)
	if err != nil {
		return err
	}
	if channel == "" {
		channel = DefaultChannel
	}
	if _, err := db.Exec(ctx, "SELECT pg_catalog.pg_notify($1, $2)", channel, payload); err != nil {
		return fmt.Errorf("postgres: notify: %w", err)
	}
	return nil
}

// Payload returns the payload that says what has changed. A name that PostgreSQL cannot send,
// because it is longer than 7995 bytes or no text, makes it "clear", and so does an empty key. The
// error says that e is no change.
func Payload(e store.Event) (string, error) {
	payload := ""
	switch e.Kind {
	case store.Changed:
		payload = keyPayload + e.Key
	case store.TagDeleted:
		payload = tagPayload + e.Tag
	case store.Cleared:
		return clearPayload, nil
	default:
		return "", fmt.Errorf("postgres: %q is no change to tell", e.Kind)
	}
	if payload == keyPayload || len(payload) > maxPayload || !isText(payload) {
		return clearPayload, nil
	}
	return payload, nil
}

// Parse returns the event that a payload tells, and whether it was known; what is not is Cleared.
func Parse(payload string) (e store.Event, known bool) {
	if key, ok := strings.CutPrefix(payload, keyPayload); ok && key != "" {
		return store.Event{Kind: store.Changed, Key: key}, true
	}
	if tag, ok := strings.CutPrefix(payload, tagPayload); ok {
		return store.Event{Kind: store.TagDeleted, Tag: tag}, true
	}
	return store.Event{Kind: store.Cleared}, payload == clearPayload
}
