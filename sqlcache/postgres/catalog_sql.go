// catalog_sql.go is the question to the catalog.

package postgres

import "regexp"

// namesSQL reads the question, and finds the tables in it.
const namesSQL = `
WITH RECURSIVE question AS (
	SELECT $1::text::json AS q
), path AS (
	SELECT n.oid, p.place
	FROM unnest(current_schemas(true)) WITH ORDINALITY AS p(name, place)
	JOIN pg_namespace n ON n.nspname = p.name
), pure AS (
	SELECT p.name FROM question, json_array_elements_text(json_extract_path(q, 'pure')) AS p(name)
), asked AS (
	SELECT k.kind, e.i, json_extract_path_text(e.v, 's') AS s,
		json_extract_path_text(e.v, 'n')::name AS n, e.v
	FROM question, unnest('{relations,functions,fields,operators,types}'::text[]) AS k(kind),
		json_array_elements(json_extract_path(q, k.kind)) WITH ORDINALITY AS e(v, i)
), relation AS (
	SELECT a.i, a.v, r.* FROM asked a CROSS JOIN LATERAL (
		SELECT c.*, n.nspname FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN path p ON p.oid = n.oid
		WHERE c.relname = a.n
			AND CASE WHEN a.s IS NULL THEN p.place IS NOT NULL ELSE n.nspname = a.s::name END
		ORDER BY p.place LIMIT 1
	) r WHERE a.kind = 'relations'
`

// routineSQL goes on with the functions of the database. Those of some extensions make numbers by
// chance and change nothing.
const routineSQL = `), routine AS NOT MATERIALIZED (
	SELECT f.oid, n.nspname AS schema, f.proname AS name, f.prokind, f.proargtypes, f.prorettype,
		CASE WHEN n.nspname = 'pg_catalog' OR f.prokind <> 'a' THEN f.provolatile
			WHEN EXISTS (SELECT FROM pg_aggregate g JOIN pg_proc s ON s.oid = g.aggtransfn
				OR s.oid = g.aggfinalfn OR s.oid = g.aggmtransfn OR s.oid = g.aggminvtransfn
				OR s.oid = g.aggmfinalfn OR s.oid = g.aggcombinefn
				WHERE g.aggfnoid::oid = f.oid AND s.provolatile <> 'i') THEN 'v'
			ELSE 'i' END AS volatility,
		n.nspname <> 'pg_catalog' AND EXISTS (SELECT FROM pure p WHERE p.name = f.proname::text
			OR p.name = concat(n.nspname, '.', f.proname)) AS pure,
		EXISTS (SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
			WHERE d.classid = 'pg_proc'::regclass::oid AND d.objid = f.oid AND d.deptype = 'e'
				AND e.extname = ANY ('{uuid-ossp,pgcrypto}'::name[])) AS silent,
		n.oid AS nspoid
	FROM pg_proc f JOIN pg_namespace n ON n.oid = f.pronamespace`

// catalogSQL asks for all names at once. It takes one text, the JSON of a question, and returns one,
// the JSON of an answer. Everything in it is named with its schema, so that no search_path can make
// it mean anything else, and it has nothing in it that can fail.
var catalogSQL = qualify(namesSQL + routineSQL + `
), heir(top, oid) AS (
	SELECT r.oid, r.oid FROM relation r
	UNION
	SELECT h.top, i.inhrelid FROM heir h JOIN pg_inherits i ON i.inhparent = h.oid
), found_relation AS (
	SELECT r.i, r.oid::int8 AS id, r.nspname AS schema, r.relname AS name, r.relkind AS kind,
		r.relpersistence = 't' AS temporary,
		CASE WHEN r.relkind = ANY ('{v,m}'::"char"[])
				AND r.nspname <> 'pg_catalog' AND r.nspname <> 'information_schema'
			THEN pg_get_viewdef(r.oid) END AS view,
		EXISTS (SELECT FROM heir h JOIN pg_class c ON c.oid = h.oid
			WHERE h.top = r.oid AND c.relkind = 'f') AS outside,
		CASE WHEN r.relrowsecurity AND (json_extract_path_text(r.v, 'inner') = 'true'
				OR row_security_active(r.oid))
			THEN (SELECT json_agg(pg_get_expr(p.polqual, p.polrelid)) FROM pg_policy p
				WHERE p.polrelid = r.oid AND p.polqual IS NOT NULL) END AS policies,
		EXISTS (SELECT FROM pg_attribute c WHERE c.attrelid = r.oid AND NOT c.attisdropped
			AND c.atttypid = ANY ('{pg_catalog.timetz,pg_catalog._timetz}'::regtype[]::oid[])) AS timetz,
		(SELECT json_agg(json_build_array(c.attname, t.typtype = 'b'
				AND t.typcategory = ANY ('{D,T,N,B}'::"char"[])))
			FROM pg_attribute c JOIN pg_type t ON t.oid = c.atttypid
			WHERE c.attrelid = r.oid AND c.attnum > 0 AND NOT c.attisdropped) AS columns
	FROM relation r
), found_function AS (
	SELECT a.kind, a.i, f.schema, f.name, f.prokind AS kind_of, f.volatility, f.pure, f.silent,
		t.typcategory <> ALL ('{D,T,N,B}'::"char"[]) OR t.typtype <> 'b' AS text,
		f.prorettype = 'pg_catalog.timetz'::regtype::oid AS timetz
	FROM asked a JOIN routine f ON f.name = a.n
		AND CASE WHEN a.s IS NULL THEN EXISTS (SELECT FROM path p WHERE p.oid = f.nspoid)
			ELSE f.schema = a.s::name END
	JOIN pg_type t ON t.oid = f.prorettype
	WHERE a.kind = 'functions' OR (a.kind = 'fields' AND EXISTS (
		SELECT FROM pg_type g WHERE g.oid = f.proargtypes[0]
			AND g.typtype = ANY ('{c,p,d}'::"char"[])))
), found_operator AS (
	SELECT o.oprname AS name, f.schema, f.name AS function, f.volatility = 'i' OR f.pure AS pure
	FROM asked a JOIN pg_operator o ON o.oprname = a.n
	JOIN pg_namespace n ON n.oid = o.oprnamespace
	JOIN routine f ON f.oid = o.oprcode::oid
	WHERE a.kind = 'operators' AND n.nspname <> 'pg_catalog'
		AND CASE WHEN a.s IS NULL THEN EXISTS (SELECT FROM path p WHERE p.oid = n.oid)
			ELSE n.nspname = a.s::name END
), named_type AS (
	SELECT a.i, t.oid FROM asked a CROSS JOIN LATERAL (
		SELECT t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
		LEFT JOIN path p ON p.oid = n.oid
		WHERE t.typname = a.n
			AND CASE WHEN a.s IS NULL THEN p.place IS NOT NULL ELSE n.nspname = a.s::name END
		ORDER BY p.place LIMIT 1
	) t WHERE a.kind = 'types'
), base(i, oid, steps) AS (
	SELECT n.i, n.oid, 0 FROM named_type n
	UNION ALL
	SELECT b.i, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.typelem END, b.steps + 1
	FROM base b JOIN pg_type t ON t.oid = b.oid
	WHERE b.steps < 32 AND (t.typtype = 'd' OR (t.typcategory = 'A' AND t.typelem <> 0))
), found_type AS (
	SELECT b.i, n.nspname AS schema, t.typname AS name, t.typtype AS kind,
		(SELECT json_agg(pg_get_expr(k.conbin, 0)) FROM pg_constraint k
			WHERE k.contypid = t.oid AND k.conbin IS NOT NULL) AS checks
	FROM base b JOIN pg_type t ON t.oid = b.oid JOIN pg_namespace n ON n.oid = t.typnamespace
), found_cast AS (
	SELECT f.schema, f.name FROM pg_cast c JOIN routine f ON f.oid = c.castfunc
	WHERE f.schema <> 'pg_catalog' AND f.volatility <> 'i' AND NOT f.pure
)
SELECT json_build_object(
	'backslash', current_setting('standard_conforming_strings'),
	'relations', (SELECT json_agg(x) FROM found_relation x),
	'functions', (SELECT json_agg(x) FROM found_function x),
	'operators', (SELECT json_agg(x) FROM found_operator x),
	'types', (SELECT json_agg(x) FROM found_type x),
	'casts', (SELECT json_agg(x) FROM found_cast x)
)::text`)

// linksSQL asks which tables inherit from which, and which refer to which. It takes no argument.
var linksSQL = qualify(`
SELECT json_build_object(
	'heirs', (SELECT json_agg(json_build_array(i.inhparent::int8, i.inhrelid::int8)) FROM pg_inherits i),
	'references', (SELECT json_agg(json_build_array(k.confrelid::int8, k.conrelid::int8,
			k.confdeltype = ANY ('{c,n,d}'::"char"[]), k.confdeltype = 'c',
			k.confupdtype = ANY ('{c,n,d}'::"char"[])))
		FROM pg_constraint k WHERE k.contype = 'f')
)::text`)

// writesSQL asks what is called when tables are written, and the names of tables. It takes and
// returns a text as catalogSQL does.
var writesSQL = qualify(`
WITH question AS (
	SELECT $1::text::json AS q
), pure AS (
	SELECT p.name FROM question, json_array_elements_text(json_extract_path(q, 'pure')) AS p(name)
), hit AS (
	SELECT json_extract_path_text(e.v, 'table')::oid AS oid, json_extract_path_text(e.v, 'use') AS op
	FROM question, json_array_elements(json_extract_path(q, 'hits')) AS e(v)
` + routineSQL + `
), hidden(what) AS (
	SELECT concat('the trigger ', t.tgname, ' calls ', f.name, '()')
	FROM hit h JOIN pg_trigger t ON t.tgrelid = h.oid JOIN routine f ON f.oid = t.tgfoid
	WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' AND NOT f.pure AND NOT f.silent
		AND NOT starts_with(f.name::text, 'larder_')
		AND (t.tgtype & CASE WHEN h.op = 'i' THEN 4 WHEN h.op = 'd' THEN 8
			WHEN h.op = 'u' THEN 16 ELSE 32 END) <> 0
	UNION ALL
	SELECT concat('the rule ', r.rulename) FROM hit h JOIN pg_rewrite r ON r.ev_class = h.oid
	WHERE r.ev_type <> '1'
	UNION ALL
	SELECT concat(f.name, '() is called for each row')
	FROM hit h CROSS JOIN LATERAL (
		SELECT 'pg_attrdef'::regclass::oid, x.oid FROM pg_attrdef x WHERE x.adrelid = h.oid
		UNION ALL
		SELECT 'pg_constraint'::regclass::oid, x.oid FROM pg_constraint x WHERE x.conrelid = h.oid
		UNION ALL
		SELECT 'pg_constraint'::regclass::oid, x.oid FROM pg_attribute c
			JOIN pg_constraint x ON x.contypid = c.atttypid WHERE c.attrelid = h.oid
		UNION ALL
		SELECT 'pg_policy'::regclass::oid, x.oid FROM pg_policy x WHERE x.polrelid = h.oid
	) x(class, oid)
	JOIN pg_depend d ON d.classid = x.class AND d.objid = x.oid
	JOIN routine f ON f.oid = d.refobjid
	WHERE d.refclassid = 'pg_proc'::regclass::oid AND f.volatility <> 'i' AND NOT f.pure
		AND NOT f.silent
)
SELECT json_build_object(
	'hidden', (SELECT json_agg(x.what) FROM hidden x),
	'written', (SELECT json_agg(concat(n.nspname, '.', c.relname))
		FROM question, json_array_elements_text(json_extract_path(q, 'family')) AS e(v)
		JOIN pg_class c ON c.oid = e.v::oid JOIN pg_namespace n ON n.oid = c.relnamespace)
)::text`)

// qualify writes a schema before each table, function, type and operator of a statement on the
// catalog.
func qualify(sql string) string {
	for _, rule := range [][2]string{
		{`([^.\w])(pg_\w+)`, "${1}pg_catalog.${2}"},
		{`pg_catalog\.pg_catalog`, "pg_catalog"},
		{`\b(unnest|json_\w+|current_\w+|inet_\w+|concat|count|starts_with|row_security_active)\(`,
			"pg_catalog.${1}("},
		{`::(\w|")`, "::pg_catalog.${1}"},
		{` (=|<>|<|&|\+) `, " OPERATOR(pg_catalog.${1}) "},
	} {
		sql = regexp.MustCompile(rule[0]).ReplaceAllString(sql, rule[1])
	}
	return sql
}
