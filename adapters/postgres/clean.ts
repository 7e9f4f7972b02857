/** The SQL that empties a database inside a transaction: everything in it, apart from what every new database has. */

/**
 * Drops all objects of a database. The schema `public` is made anew with the owner, the rights and the comment that it had.
 * Settings and rights of the database itself stay. Waits a minute for locks that others hold.
 */
export const CLEAN_SQL: string = `
SET lock_timeout = '60s';
SET client_min_messages = warning;
DO $cairn$
DECLARE
  each record;
  old record;
BEGIN
  IF EXISTS (SELECT FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
      WHERE d.datname = current_database()) THEN
    RAISE EXCEPTION 'the database has a subscription: drop it first';
  END IF;
  FOR each IN SELECT evtname AS name FROM pg_event_trigger e WHERE NOT EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e') LOOP
    EXECUTE format('DROP EVENT TRIGGER %I', each.name);
  END LOOP;
  FOR each IN SELECT pubname AS name FROM pg_publication LOOP
    EXECUTE format('DROP PUBLICATION %I', each.name);
  END LOOP;
  FOR each IN SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' LOOP
    EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', each.name);
  END LOOP;
  FOR each IN SELECT nspname AS name FROM pg_namespace
      WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public') LOOP
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', each.name);
  END LOOP;
  FOR each IN SELECT fdwname AS name FROM pg_foreign_data_wrapper WHERE oid >= 16384 LOOP
    EXECUTE format('DROP FOREIGN DATA WRAPPER IF EXISTS %I CASCADE', each.name);
  END LOOP;
  PERFORM lo_unlink(oid) FROM pg_largeobject_metadata;
  SELECT pg_get_userbyid(nspowner) AS owner, nspacl AS acl, obj_description(oid, 'pg_namespace') AS comment
    INTO old FROM pg_namespace WHERE nspname = 'public';
  IF FOUND THEN
    DROP SCHEMA public CASCADE;
    CREATE SCHEMA public;
    EXECUTE format('ALTER SCHEMA public OWNER TO %I', old.owner);
    EXECUTE format('COMMENT ON SCHEMA public IS %L', old.comment);
    FOR each IN SELECT * FROM aclexplode(old.acl) LOOP
      EXECUTE format('GRANT %s ON SCHEMA public TO %s%s', each.privilege_type,
        CASE each.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(each.grantee)) END,
        CASE WHEN each.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
  END IF;
END
$cairn$;
`;
