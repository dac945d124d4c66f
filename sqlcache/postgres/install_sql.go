// install_sql.go is what is run in the database to install and uninstall triggers.

package postgres

// installSQL is the body of a DO. @label, @channel and @tables are replaced. The trigger tells of a
// table with all that it inherits from and all that inherit from it: rows of a partition are read
// and written by either name.
const installSQL = `
DECLARE
	names pg_catalog.text[] := @tables;
	label pg_catalog.text;
	found pg_catalog.regclass;
	tables pg_catalog.regclass[];
BEGIN
	IF names IS NULL THEN
		SELECT pg_catalog.array_agg(c.oid::pg_catalog.regclass ORDER BY c.oid) INTO tables
		FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = ANY ('{r,p}') AND c.relpersistence <> 't'
			AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_';
	ELSE
		FOREACH label IN ARRAY names LOOP
			found := pg_catalog.to_regclass(label);
			IF found IS NULL THEN
				RAISE EXCEPTION 'there is no table %', label;
			END IF;
			tables := pg_catalog.array_append(tables, found);
		END LOOP;
	END IF;
	IF pg_catalog.to_regnamespace('larder_notify') IS NULL THEN
		CREATE SCHEMA larder_notify;
	END IF;
	CREATE OR REPLACE FUNCTION larder_notify.larder_changed() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp AS $larder$
	DECLARE
		label text;
		told int := 0;
	BEGIN
		FOR label IN
			WITH RECURSIVE up(oid) AS (
				SELECT TG_RELID UNION
				SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.oid
			), down(oid) AS (
				SELECT TG_RELID UNION
				SELECT i.inhrelid FROM down JOIN pg_inherits i ON i.inhparent = down.oid
			)
			SELECT 'tag:' || n.nspname || '.' || c.relname
			FROM (SELECT up.oid FROM up UNION SELECT down.oid FROM down) f
			JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
		LOOP
			told := told + 1;
			IF told > 1000 OR octet_length(label) > 7999 THEN
				PERFORM pg_notify(TG_ARGV[0], 'clear');
				EXIT;
			END IF;
			PERFORM pg_notify(TG_ARGV[0], label);
		END LOOP;
		RETURN NULL;
	END $larder$;
	FOREACH found IN ARRAY coalesce(tables, '{}') LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
				WHERE t.tgrelid = found AND t.tgname = '@label') THEN
			EXECUTE pg_catalog.format('CREATE TRIGGER @label
				AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
				FOR EACH STATEMENT EXECUTE FUNCTION larder_notify.larder_changed(%L)', found, @channel);
			EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER @label', found);
		END IF;
	END LOOP;
	EXECUTE pg_catalog.format($larder$
		CREATE OR REPLACE FUNCTION larder_notify.@label() RETURNS event_trigger LANGUAGE plpgsql
		SET search_path = pg_catalog, pg_temp AS $body$
		DECLARE
			lasting boolean;
		BEGIN
			IF TG_EVENT = 'sql_drop' THEN
				lasting := EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d
					WHERE NOT d.is_temporary);
			ELSE
				lasting := EXISTS (SELECT FROM pg_event_trigger_ddl_commands() d
					WHERE d.schema_name IS DISTINCT FROM 'pg_temp');
			END IF;
			IF lasting THEN
				PERFORM pg_notify(%L, 'clear');
			END IF;
		END $body$ $larder$, @channel);
	BEGIN
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger e WHERE e.evtname = '@label_end') THEN
			CREATE EVENT TRIGGER @label_end ON ddl_command_end EXECUTE FUNCTION larder_notify.@label();
		END IF;
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_event_trigger e WHERE e.evtname = '@label_drop') THEN
			CREATE EVENT TRIGGER @label_drop ON sql_drop EXECUTE FUNCTION larder_notify.@label();
		END IF;
	EXCEPTION WHEN insufficient_privilege THEN
		NULL; -- the result says so
	END;
END`

// installedSQL returns whether the event triggers are there.
const installedSQL = `SELECT pg_catalog.count(*) = 2 FROM pg_catalog.pg_event_trigger e
	WHERE e.evtenabled <> 'D' AND e.evtname = ANY ('{@label_end,@label_drop}'::pg_catalog.name[])`

// uninstallSQL is the body of a DO. The function and the schema stay while another channel, or
// somebody else, needs them.
const uninstallSQL = `
DECLARE
	found pg_catalog.regclass;
BEGIN
	DROP EVENT TRIGGER IF EXISTS @label_end;
	DROP EVENT TRIGGER IF EXISTS @label_drop;
	FOR found IN SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.tgname = '@label' LOOP
		EXECUTE pg_catalog.format('DROP TRIGGER @label ON %s', found);
	END LOOP;
	IF pg_catalog.to_regnamespace('larder_notify') IS NOT NULL THEN
		DROP FUNCTION IF EXISTS larder_notify.@label();
		BEGIN
			DROP FUNCTION IF EXISTS larder_notify.larder_changed();
			DROP SCHEMA larder_notify;
		EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN
			NULL;
		END;
	END IF;
END`
