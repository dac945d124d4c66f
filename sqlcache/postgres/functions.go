// functions.go judges functions.

package postgres

import "maps"

// steady are functions of PostgreSQL that are no more than STABLE, since they depend on settings
// of the session: those are in its identity.
var steady = setOf(
	"array_to_json", "array_to_string", "concat", "concat_ws", "convert_from",
	"date", "date_bin", "date_part", "date_trunc", "extract", "format", "generate_series",
	"json_build_array", "json_build_object", "length", "json_object", "jsonb_build_array",
	"jsonb_build_object", "lower", "make_date", "make_interval", "make_timestamptz",
	"numeric_to_char", "pg_client_encoding", "pg_typeof", "phraseto_tsquery",
	"plainto_tsquery", "quote_literal", "quote_nullable", "row_to_json", "timezone", "to_ascii",
	"to_char", "to_date", "to_json", "to_jsonb", "to_number", "to_timestamp", "to_tsquery",
	"to_tsvector", "json_to_tsvector", "jsonb_to_tsvector", "ts_headline", "ts_rank",
	"websearch_to_tsquery", "timestamp", "timestamptz", "timestamptz_to_char",
	"json_to_record", "json_to_recordset", "jsonb_to_record", "jsonb_to_recordset",
	"jsonb_path_exists_tz", "jsonb_path_match_tz", "jsonb_path_query_tz",
	"jsonb_path_query_array_tz", "jsonb_path_query_first_tz", "text", "varchar", "int8", "int4",
	"int2", "interval", "time", "overlaps", "string_to_array", "array_agg", "anytextcat", "textanycat",
	"isfinite", "num_nulls", "num_nonnulls",
)

// silent are functions of PostgreSQL whose results are not kept, and that change no table and
// nothing that results depend on. VOLATILE functions that are not among them may change anything.
var silent = setOf(
	"clock_timestamp", "currval", "gen_random_uuid", "lastval", "nextval", "random",
	"random_normal", "setval", "setseed", "timeofday", "uuidv4", "uuidv7",
	"pg_sleep", "pg_sleep_for", "pg_sleep_until", "pg_notify", "pg_listening_channels",
	"pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock",
	"pg_advisory_unlock_all", "pg_advisory_unlock_shared", "pg_advisory_xact_lock",
	"pg_advisory_xact_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
	"pg_try_advisory_xact_lock", "pg_try_advisory_xact_lock_shared",
	"pg_cancel_backend", "pg_terminate_backend", "pg_backend_pid", "pg_column_size",
	"pg_current_snapshot", "pg_current_xact_id", "pg_current_xact_id_if_assigned",
	"pg_snapshot_xmin", "txid_current", "txid_current_if_assigned", "txid_current_snapshot",
	"pg_database_size", "pg_relation_size", "pg_table_size", "pg_total_relation_size",
	"pg_indexes_size", "pg_tablespace_size", "pg_export_snapshot", "pg_last_wal_receive_lsn",
	"pg_last_wal_replay_lsn", "pg_current_wal_lsn", "pg_is_in_recovery", "pg_is_wal_replay_paused",
	"lo_close", "lo_creat", "lo_create", "lo_export", "lo_from_bytea", "lo_get", "lo_import",
	"lo_lseek", "lo_lseek64", "lo_open", "lo_put", "lo_tell", "lo_tell64", "lo_truncate",
	"lo_truncate64", "lo_unlink", "loread", "lowrite", "timezone", "statement_timestamp",
)

// runners are functions of PostgreSQL that run statements which are their arguments, or call
// functions that are.
var runners = setOf(
	"query_to_xml", "query_to_xmlschema", "query_to_xml_and_xmlschema", "cursor_to_xml",
	"cursor_to_xmlschema", "table_to_xml", "table_to_xmlschema", "table_to_xml_and_xmlschema",
	"schema_to_xml", "schema_to_xmlschema", "schema_to_xml_and_xmlschema", "database_to_xml",
	"database_to_xmlschema", "database_to_xml_and_xmlschema", "ts_stat", "ts_rewrite", "set_config",
)

func setOf(all ...string) map[string]bool {
	return maps.Collect(func(yield func(string, bool) bool) {
		for _, s := range all {
			if !yield(s, true) {
				return
			}
		}
	})
}

// takeFunctions judges all functions that the names in a statement may mean.
func (s *survey) takeFunctions(q question, a answer) {
	for _, r := range a.Functions {
		if r.Kind == "functions" {
			s.called[q.Functions[r.I-1].asName()] = true
		}
		s.textFunctions[r.Name] = s.textFunctions[r.Name] || r.Text
		s.judge(r)
	}
}

// judge judges a function that may be called.
func (s *survey) judge(r routine) {
	switch {
	case r.Timetz && r.Schema != "pg_catalog", r.Timetz && r.Name == "timetz":
		s.refuse("%s() may make a time with time zone, which depends on the day", r.Name)
	case r.Pure:
	case r.Silent && r.Volatility != "i":
		s.refuse("calls %s()", r.Name)
	case r.Schema != "pg_catalog":
		if r.Volatility != "i" {
			s.anything("calls %s.%s(), which is not immutable", r.Schema, r.Name)
		}
	default:
		s.judgeOwn(r)
	}
}

// judgeOwn judges a function of PostgreSQL.
func (s *survey) judgeOwn(r routine) {
	aggregate := r.KindOf == "a" || r.KindOf == "w"
	switch {
	case runners[r.Name]:
		s.anything("calls %s(), which may do anything", r.Name)
	case aggregate, r.Volatility == "i":
	case r.Name == "timezone": // only of a time with time zone is it volatile, and that is refused
	case r.Volatility == "s" && steady[r.Name]:
	case r.Volatility == "s", silent[r.Name]:
		s.refuse("calls %s()", r.Name)
	default:
		s.anything("calls %s(), which may do anything", r.Name)
	}
}
