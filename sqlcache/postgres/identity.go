// identity.go names the state of a connection.

package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/larder-go/larder/sqlcache"
)

// identitySQL returns one text with all that results depend on, or an empty one if the session has
// temporary tables or reads texts otherwise than the parser. The time at which the server started
// tells servers apart that have the same address at different times, or to different clients.
// Settings that change no result are left out: whoever gives each connection a name of its own
// should not pay for it.
var identitySQL = qualify(`
SELECT CASE WHEN pg_my_temp_schema() <> 0::oid
		OR current_setting('client_encoding') <> 'UTF8'
		OR current_setting('standard_conforming_strings') <> 'on'
	THEN '' ELSE json_build_array(
		inet_server_addr()::text, inet_server_port(), pg_postmaster_start_time(),
		(SELECT json_build_array(d.oid, d.datname) FROM pg_database d
			WHERE d.datname = current_database()),
		(SELECT json_build_array(r.oid, r.rolname, r.rolsuper, r.rolbypassrls) FROM pg_roles r
			WHERE r.rolname = CURRENT_USER),
		SESSION_USER,
		(SELECT json_agg(json_build_array(s.name, s.setting) ORDER BY s.name COLLATE pg_catalog."C")
			FROM pg_settings s
			WHERE s.source <> 'default' AND s.name <> ALL ('{` + harmlessSettings + `}'::text[]))
	)::text END`)

// harmlessSettings change no result: what a connection is called, how long it may take, and what a
// transaction is, which ends.
const harmlessSettings = "application_name,transaction_isolation,transaction_read_only," +
	"transaction_deferrable,idle_in_transaction_session_timeout," +
	"idle_session_timeout,tcp_keepalives_idle,tcp_keepalives_interval,tcp_keepalives_count," +
	"tcp_user_timeout,client_connection_check_interval"

// Identity names the server by its address and the time at which it started, the database, both
// roles and all settings that are not at their defaults, as a hash. It is "" once a session has had
// a temporary table, and where client_encoding is not UTF8 or standard_conforming_strings is off.
func (d *Dialect) Identity(ctx context.Context, q sqlcache.Querier) (string, error) {
	state, err := askText(ctx, q, identitySQL)
	if err != nil {
		return "", fmt.Errorf("postgres: identity: %w", err)
	}
	if state == "" {
		return "", nil
	}
	sum := sha256.Sum256([]byte(state))
	return "postgres:" + hex.EncodeToString(sum[:16]), nil
}
