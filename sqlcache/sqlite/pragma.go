// pragma.go is what the pragmas of SQLite do to results and to the connection.

package sqlite

import "github.com/larder-go/larder/sqlcache"

// nature is what a pragma does.
type nature uint8

const (
	unheard nature = iota // not known here
	asks                  // changes nothing, whatever its argument
	tunes                 // with a value: changes how fast or how safely, not what comes out
	changes               // with a value: changes what the identity tells
	hazards               // with a value: changes what nothing tells
	writes                // writes tables
)

// natures are the pragmas. They must not be given to EXPLAIN, which carries some of them out.
var natures = map[string]nature{
	"application_id": tunes, "collation_list": asks, "compile_options": asks, "data_version": asks,
	"database_list": asks, "foreign_key_check": asks, "foreign_key_list": asks,
	"freelist_count": asks, "function_list": asks, "incremental_vacuum": asks, "index_info": asks,
	"index_list": asks, "index_xinfo": asks, "integrity_check": asks, "lock_status": asks,
	"module_list": asks, "page_count": asks, "pragma_list": asks, "quick_check": asks,
	"shrink_memory": asks, "stats": asks, "table_info": asks, "table_list": asks,
	"table_xinfo": asks, "wal_checkpoint": asks,

	"analysis_limit": tunes, "auto_vacuum": tunes, "busy_timeout": tunes, "cache_size": tunes,
	"cache_spill": tunes, "cell_size_check": tunes, "checkpoint_fullfsync": tunes,
	"default_cache_size": tunes, "defer_foreign_keys": tunes, "empty_result_callbacks": tunes,
	"fullfsync": tunes, "hard_heap_limit": tunes, "ignore_check_constraints": tunes,
	"journal_mode": changes, "journal_size_limit": tunes, "legacy_alter_table": tunes,
	"legacy_file_format": tunes, "locking_mode": changes, "max_page_count": tunes,
	"mmap_size": tunes, "page_size": tunes, "query_only": tunes, "secure_delete": tunes,
	"soft_heap_limit": tunes, "synchronous": tunes, "threads": tunes, "user_version": tunes,
	"wal_autocheckpoint": tunes,

	"automatic_index": changes, "case_sensitive_like": changes, "count_changes": changes,
	"encoding": changes, "foreign_keys": changes, "full_column_names": changes,
	"read_uncommitted": changes, "recursive_triggers": changes,
	"reverse_unordered_selects": changes, "short_column_names": changes,
	"trusted_schema": changes,
	"temp_store":     changes, "temp_store_directory": changes, // drop the temporary tables

	"schema_version": hazards, "writable_schema": hazards,

	"optimize": writes, // is ANALYZE
}

// pragma returns the effect of a pragma with those tokens.
func pragma(tokens []token) sqlcache.Effect {
	name, hasValue := pragmaName(tokens)
	n := natures[lower(name)]
	switch {
	case n == unheard:
		return sqlcache.Unknown("is a pragma that is not known")
	case n == writes:
		return sqlcache.Effect{WritesAll: true}
	case n == changes && hasValue:
		return sqlcache.Effect{Session: sqlcache.SessionChanged}
	case n == hazards && hasValue:
		return sqlcache.Unknown("sets " + lower(name))
	}
	return sqlcache.Effect{Reason: "is a pragma"}
}

// pragmaName reads [database.]name and reports whether anything follows it.
func pragmaName(tokens []token) (name string, hasValue bool) {
	if len(tokens) >= 3 && tokens[1].text == "." {
		tokens = tokens[2:]
	}
	if len(tokens) == 0 {
		return "", false
	}
	return unquote(tokens[0]), len(tokens) > 1
}
