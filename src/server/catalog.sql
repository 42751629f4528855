-- What PostgreSQL's clients expect; each connection has its own. Names without a schema are found here first.
CREATE OR REPLACE TEMP MACRO version() AS 'PostgreSQL 15.0 (maillog on DuckDB)';
CREATE OR REPLACE TEMP MACRO pg_backend_pid() AS {pid};
CREATE OR REPLACE TEMP MACRO quote_ident(name) AS
    CASE WHEN regexp_full_match(name, '[a-z_][a-z0-9_]*') THEN name ELSE '"' || replace(name, '"', '""') || '"' END;
CREATE OR REPLACE TEMP MACRO quote_literal(text) AS '''' || replace(text, '''', '''''') || '''';
-- More, for statements that name something of the catalog.
CREATE OR REPLACE TEMP MACRO pg_get_userbyid(oid) AS 'maillog';
CREATE OR REPLACE TEMP MACRO pg_encoding_to_char(encoding) AS 'UTF8';
CREATE OR REPLACE TEMP MACRO pg_char_to_encoding(name) AS 6;
CREATE OR REPLACE TEMP MACRO getdatabaseencoding() AS 'UTF8';
CREATE OR REPLACE TEMP MACRO pg_client_encoding() AS 'UTF8';
CREATE OR REPLACE TEMP MACRO pg_is_in_recovery() AS false;
CREATE OR REPLACE TEMP MACRO pg_postmaster_start_time() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO txid_current() AS 1;
CREATE OR REPLACE TEMP MACRO inet_server_addr() AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO inet_server_port() AS NULL::INTEGER;
CREATE OR REPLACE TEMP MACRO inet_client_addr() AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO inet_client_port() AS NULL::INTEGER;
CREATE OR REPLACE TEMP MACRO pg_get_function_result(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_function_arguments(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_function_identity_arguments(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_functiondef(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_function_is_visible(oid) AS true;
CREATE OR REPLACE TEMP MACRO pg_relation_is_publishable(oid) AS false;
CREATE OR REPLACE TEMP MACRO pg_get_partkeydef(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_statisticsobjdef_columns(oid) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_serial_sequence(name, col) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_indexdef(oid) AS NULL::VARCHAR, (oid, col, pretty) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_triggerdef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_ruledef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_constraintdef(oid) AS NULL::VARCHAR, (oid, pretty) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_expr(tree, oid) AS NULL::VARCHAR, (tree, oid, pretty) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_get_viewdef(view) AS
    (SELECT any_value(v.sql) FROM duckdb_views() v WHERE v.view_oid::VARCHAR = view::VARCHAR),
    (view, pretty) AS (SELECT any_value(v.sql) FROM duckdb_views() v WHERE v.view_oid::VARCHAR = view::VARCHAR);
CREATE OR REPLACE TEMP MACRO pg_statistics_obj_is_visible(id) AS true;
CREATE OR REPLACE TEMP MACRO pg_opfamily_is_visible(id) AS true;
CREATE OR REPLACE TEMP MACRO array_remove(list, value) AS list_filter(list, lambda x: x IS DISTINCT FROM value);
CREATE OR REPLACE TEMP MACRO maillog_setting(name) AS NULL::VARCHAR, (name, missing_ok) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO array_upper(list, dimension) AS len(list);
CREATE OR REPLACE TEMP MACRO array_lower(list, dimension) AS 1;
CREATE OR REPLACE TEMP MACRO pg_relation_size(oid) AS 0, (oid, fork) AS 0;
CREATE OR REPLACE TEMP MACRO pg_table_size(oid) AS 0;
CREATE OR REPLACE TEMP MACRO pg_indexes_size(oid) AS 0;
CREATE OR REPLACE TEMP MACRO pg_total_relation_size(oid) AS 0;
CREATE OR REPLACE TEMP MACRO pg_database_size(oid) AS 0;
CREATE OR REPLACE TEMP MACRO pg_size_pretty(size) AS size::VARCHAR;
CREATE OR REPLACE TEMP MACRO pg_tablespace_location(oid) AS '';
CREATE OR REPLACE TEMP MACRO col_description(oid, col) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO obj_description(oid) AS NULL::VARCHAR, (oid, catalog) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO shobj_description(oid, catalog) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO array_to_text(list) AS NULL::VARCHAR;
CREATE OR REPLACE TEMP MACRO has_table_privilege(tab, privilege) AS privilege ILIKE 'SELECT%',
    (who, tab, privilege) AS privilege ILIKE 'SELECT%';
CREATE OR REPLACE TEMP MACRO has_schema_privilege(sch, privilege) AS privilege ILIKE 'USAGE%',
    (who, sch, privilege) AS privilege ILIKE 'USAGE%';
CREATE OR REPLACE TEMP MACRO has_database_privilege(db, privilege) AS privilege ILIKE 'CONNECT%',
    (who, db, privilege) AS privilege ILIKE 'CONNECT%';
CREATE OR REPLACE TEMP MACRO has_column_privilege(tab, col, privilege) AS privilege ILIKE 'SELECT%';
CREATE OR REPLACE TEMP MACRO has_any_column_privilege(tab, privilege) AS privilege ILIKE 'SELECT%';
CREATE OR REPLACE TEMP MACRO maillog_type_oid(name) AS CASE
    WHEN ends_with(name, ']') THEN CASE regexp_extract(name, '^[A-Z]+')
        WHEN 'BOOLEAN' THEN 1000 WHEN 'INTEGER' THEN 1007 WHEN 'BIGINT' THEN 1016 WHEN 'DOUBLE' THEN 1022 ELSE 1009 END
    WHEN starts_with(name, 'DECIMAL') THEN 1700
    WHEN starts_with(name, 'STRUCT') OR starts_with(name, 'MAP') THEN 114
    ELSE CASE name
        WHEN 'BOOLEAN' THEN 16 WHEN 'BLOB' THEN 17 WHEN 'BIGINT' THEN 20 WHEN 'UINTEGER' THEN 20 WHEN 'SMALLINT' THEN 21
        WHEN 'TINYINT' THEN 21 WHEN 'UTINYINT' THEN 21 WHEN 'INTEGER' THEN 23 WHEN 'USMALLINT' THEN 23 WHEN 'FLOAT' THEN 700
        WHEN 'DOUBLE' THEN 701 WHEN 'DATE' THEN 1082 WHEN 'TIME' THEN 1083 WHEN 'TIMESTAMP' THEN 1114
        WHEN 'TIMESTAMP WITH TIME ZONE' THEN 1184 WHEN 'INTERVAL' THEN 1186 WHEN 'HUGEINT' THEN 1700 WHEN 'UBIGINT' THEN 1700
        ELSE 25 END
    END::BIGINT;
CREATE OR REPLACE TEMP VIEW pg_type AS
SELECT
    t.oid::BIGINT AS oid, 1247::BIGINT AS tableoid, t.name AS typname, 11::BIGINT AS typnamespace, 10::BIGINT AS typowner, t.length::SMALLINT AS typlen,
    t.length > 0 AS typbyval, CASE WHEN t.name = 'record' THEN 'p' ELSE 'b' END AS typtype, t.category AS typcategory,
    false AS typispreferred, true AS typisdefined, ',' AS typdelim, 0::BIGINT AS typrelid, 0::BIGINT AS typsubscript,
    t.element::BIGINT AS typelem, t.list::BIGINT AS typarray, t.name || 'in' AS typinput, t.name || 'out' AS typoutput,
    t.name || 'recv' AS typreceive, t.name || 'send' AS typsend, '-' AS typmodin, '-' AS typmodout, '-' AS typanalyze, 'i' AS typalign,
    'p' AS typstorage, false AS typnotnull, 0::BIGINT AS typbasetype, -1 AS typtypmod, 0 AS typndims, 0::BIGINT AS typcollation,
    NULL::VARCHAR AS typdefaultbin, NULL::VARCHAR AS typdefault, NULL::VARCHAR AS typacl, t.shown AS maillog_shown
FROM (VALUES
    (16, 'bool', 1, 'B', 0, 1000, 'boolean'), (17, 'bytea', -1, 'U', 0, 1001, 'bytea'), (18, 'char', 1, 'Z', 0, 1002, '"char"'),
    (19, 'name', 64, 'S', 18, 1003, 'name'), (20, 'int8', 8, 'N', 0, 1016, 'bigint'), (21, 'int2', 2, 'N', 0, 1005, 'smallint'),
    (23, 'int4', 4, 'N', 0, 1007, 'integer'), (25, 'text', -1, 'S', 0, 1009, 'text'), (26, 'oid', 4, 'N', 0, 1028, 'oid'),
    (114, 'json', -1, 'U', 0, 199, 'json'), (700, 'float4', 4, 'N', 0, 1021, 'real'),
    (701, 'float8', 8, 'N', 0, 1022, 'double precision'), (1042, 'bpchar', -1, 'S', 0, 1014, 'character'),
    (1043, 'varchar', -1, 'S', 0, 1015, 'character varying'), (1082, 'date', 4, 'D', 0, 1182, 'date'),
    (1083, 'time', 8, 'D', 0, 1183, 'time without time zone'), (1114, 'timestamp', 8, 'D', 0, 1115, 'timestamp without time zone'),
    (1184, 'timestamptz', 8, 'D', 0, 1185, 'timestamp with time zone'), (1186, 'interval', 16, 'T', 0, 1187, 'interval'),
    (1700, 'numeric', -1, 'N', 0, 1231, 'numeric'), (2950, 'uuid', 16, 'U', 0, 2951, 'uuid'), (3802, 'jsonb', -1, 'U', 0, 3807, 'jsonb'),
    (705, 'unknown', -2, 'X', 0, 0, 'unknown'), (2249, 'record', -1, 'P', 0, 2287, 'record'),
    (1000, '_bool', -1, 'A', 16, 0, 'boolean[]'), (1001, '_bytea', -1, 'A', 17, 0, 'bytea[]'), (1005, '_int2', -1, 'A', 21, 0, 'smallint[]'),
    (1007, '_int4', -1, 'A', 23, 0, 'integer[]'), (1009, '_text', -1, 'A', 25, 0, 'text[]'), (1016, '_int8', -1, 'A', 20, 0, 'bigint[]'),
    (1021, '_float4', -1, 'A', 700, 0, 'real[]'), (1022, '_float8', -1, 'A', 701, 0, 'double precision[]'), (1015, '_varchar', -1, 'A', 1043, 0, 'character varying[]'),
    (1182, '_date', -1, 'A', 1082, 0, 'date[]'), (1183, '_time', -1, 'A', 1083, 0, 'time without time zone[]'),
    (1115, '_timestamp', -1, 'A', 1114, 0, 'timestamp without time zone[]'), (1185, '_timestamptz', -1, 'A', 1184, 0, 'timestamp with time zone[]'),
    (1187, '_interval', -1, 'A', 1186, 0, 'interval[]'), (1231, '_numeric', -1, 'A', 1700, 0, 'numeric[]'), (199, '_json', -1, 'A', 114, 0, 'json[]'),
    (1028, '_oid', -1, 'A', 26, 0, 'oid[]')
) AS t(oid, name, length, category, element, list, shown);
CREATE OR REPLACE TEMP MACRO format_type(kind, modifier) AS (SELECT any_value(t.maillog_shown) FROM pg_type t WHERE t.oid = kind);
CREATE OR REPLACE TEMP VIEW pg_namespace AS
SELECT 2200::BIGINT AS oid, 2615::BIGINT AS tableoid, 'main' AS nspname, 10::BIGINT AS nspowner, NULL::VARCHAR[] AS nspacl
UNION ALL SELECT 11, 2615, 'pg_catalog', 10, NULL
UNION ALL SELECT 13000, 2615, 'information_schema', 10, NULL;
CREATE OR REPLACE TEMP VIEW pg_class AS
SELECT
    r.oid::BIGINT AS oid, 1259::BIGINT AS tableoid, r.name AS relname, 2200::BIGINT AS relnamespace, 0::BIGINT AS reltype, 0::BIGINT AS reloftype, 10::BIGINT AS relowner,
    CASE r.kind WHEN 'r' THEN 2 ELSE 0 END::BIGINT AS relam, 0::BIGINT AS relfilenode, 0::BIGINT AS reltablespace, 0 AS relpages,
    r.rows::FLOAT AS reltuples, 0 AS relallvisible, 0::BIGINT AS reltoastrelid, false AS relhasindex, false AS relisshared,
    'p' AS relpersistence, r.kind AS relkind, r.columns::SMALLINT AS relnatts, 0::SMALLINT AS relchecks, false AS relhasrules, false AS relhastriggers,
    false AS relhassubclass, false AS relrowsecurity, false AS relforcerowsecurity, true AS relispopulated, 'n' AS relreplident,
    false AS relispartition, 0::BIGINT AS relrewrite, 0::BIGINT AS relfrozenxid, 0::BIGINT AS relminmxid, NULL::VARCHAR[] AS relacl,
    NULL::VARCHAR[] AS reloptions, NULL::VARCHAR AS relpartbound, false AS relhasoids
FROM (
    SELECT table_oid AS oid, table_name AS name, 'r' AS kind, estimated_size AS rows, column_count AS columns
    FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()
    UNION ALL
    SELECT view_oid, view_name, 'v', -1, column_count FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
) AS r;
CREATE OR REPLACE TEMP VIEW pg_attribute AS
SELECT
    c.table_oid::BIGINT AS attrelid, c.column_name AS attname, maillog_type_oid(c.data_type) AS atttypid, -1 AS attstattarget,
    -1::SMALLINT AS attlen, c.column_index::SMALLINT AS attnum, 0 AS attndims, -1 AS attcacheoff,
    CASE WHEN starts_with(c.data_type, 'DECIMAL') THEN c.numeric_precision * 65536 + c.numeric_scale + 4 ELSE -1 END AS atttypmod,
    false AS attbyval, 'p' AS attstorage, 'i' AS attalign, NOT c.is_nullable AS attnotnull, false AS atthasdef, false AS atthasmissing,
    '' AS attidentity, '' AS attgenerated, false AS attisdropped, true AS attislocal, 0 AS attinhcount, 0::BIGINT AS attcollation,
    '' AS attcompression, NULL::VARCHAR[] AS attacl, NULL::VARCHAR[] AS attoptions, NULL::VARCHAR[] AS attfdwoptions, NULL::VARCHAR AS attmissingval
FROM duckdb_columns() c
WHERE NOT c.internal AND c.database_name = current_database();
CREATE OR REPLACE TEMP VIEW pg_database AS
SELECT
    1::BIGINT AS oid, '{database}' AS datname, 10::BIGINT AS datdba, 6 AS encoding, 'c' AS datlocprovider, false AS datistemplate, true AS datallowconn,
    -1 AS datconnlimit, 0::BIGINT AS datfrozenxid, 0::BIGINT AS datminmxid, 1663::BIGINT AS dattablespace, 'C' AS datcollate, 'C' AS datctype,
    NULL::VARCHAR AS daticulocale, NULL::VARCHAR AS datcollversion, NULL::VARCHAR[] AS datacl, 0::BIGINT AS datlastsysoid;
CREATE OR REPLACE TEMP VIEW pg_roles AS
SELECT
    10::BIGINT AS oid, u.name AS rolname, false AS rolsuper, true AS rolinherit, false AS rolcreaterole, false AS rolcreatedb, true AS rolcanlogin,
    false AS rolreplication, -1 AS rolconnlimit, '********' AS rolpassword, NULL::TIMESTAMP AS rolvaliduntil, false AS rolbypassrls,
    NULL::VARCHAR[] AS rolconfig
FROM (SELECT DISTINCT unnest(['maillog', '{user}']) AS name) AS u;
CREATE OR REPLACE TEMP VIEW pg_authid AS SELECT * FROM pg_roles;
CREATE OR REPLACE TEMP VIEW pg_user AS
SELECT rolname AS usename, oid AS usesysid, false AS usecreatedb, false AS usesuper, false AS userepl, false AS usebypassrls, '********' AS passwd,
    NULL::TIMESTAMP AS valuntil, NULL::VARCHAR[] AS useconfig
FROM pg_roles;
CREATE OR REPLACE TEMP VIEW pg_am AS
SELECT 2::BIGINT AS oid, 'heap' AS amname, 'heap_tableam_handler' AS amhandler, 't' AS amtype;
CREATE OR REPLACE TEMP VIEW pg_tables AS
SELECT 'main' AS schemaname, relname AS tablename, 'maillog' AS tableowner, NULL::VARCHAR AS tablespace, false AS hasindexes, false AS hasrules,
    false AS hastriggers, false AS rowsecurity
FROM pg_class WHERE relkind = 'r';
CREATE OR REPLACE TEMP VIEW pg_views AS
SELECT 'main' AS schemaname, view_name AS viewname, 'maillog' AS viewowner, sql AS definition
FROM duckdb_views() WHERE NOT internal AND database_name = current_database();
CREATE OR REPLACE TEMP VIEW pg_settings AS
SELECT name, value AS setting, NULL::VARCHAR AS unit, '' AS category, description AS short_desc, '' AS extra_desc, 'user' AS context,
    'string' AS vartype, 'default' AS source, NULL::VARCHAR AS min_val, NULL::VARCHAR AS max_val, NULL::VARCHAR[] AS enumvals,
    value AS boot_val, value AS reset_val, NULL::VARCHAR AS sourcefile, NULL::INTEGER AS sourceline, false AS pending_restart
FROM duckdb_settings() WHERE name IN ('memory_limit', 'threads', 'TimeZone');
CREATE OR REPLACE TEMP MACRO maillog_regclass_of(name) AS
    coalesce(try_cast(name AS BIGINT), (SELECT any_value(c.oid) FROM pg_class c WHERE c.relname = replace(regexp_replace(name::VARCHAR, '^.*[.]', ''), '"', '')));
CREATE OR REPLACE TEMP MACRO maillog_regclass_name(number) AS
    coalesce((SELECT any_value(c.relname) FROM pg_class c WHERE c.oid::VARCHAR = number::VARCHAR), number::VARCHAR);
CREATE OR REPLACE TEMP MACRO maillog_regtype_of(name) AS
    coalesce(try_cast(name AS BIGINT), (SELECT any_value(t.oid) FROM pg_type t WHERE name::VARCHAR IN (t.typname, t.maillog_shown)));
CREATE OR REPLACE TEMP MACRO maillog_regtype_name(number) AS
    coalesce((SELECT any_value(t.maillog_shown) FROM pg_type t WHERE t.oid::VARCHAR = number::VARCHAR), number::VARCHAR);
CREATE OR REPLACE TEMP MACRO maillog_regnamespace_of(name) AS
    coalesce(try_cast(name AS BIGINT), (SELECT any_value(n.oid) FROM pg_namespace n WHERE n.nspname = name::VARCHAR));
CREATE OR REPLACE TEMP MACRO maillog_regnamespace_name(number) AS
    coalesce((SELECT any_value(n.nspname) FROM pg_namespace n WHERE n.oid::VARCHAR = number::VARCHAR), number::VARCHAR);
CREATE OR REPLACE TEMP MACRO maillog_regprocedure_of(name) AS try_cast(name AS BIGINT);
CREATE OR REPLACE TEMP MACRO maillog_regprocedure_name(number) AS number::VARCHAR;
CREATE OR REPLACE TEMP MACRO to_regclass(name) AS maillog_regclass_of(name);
CREATE OR REPLACE TEMP MACRO to_regtype(name) AS maillog_regtype_of(name);
-- information_schema without what is temporary here.
CREATE OR REPLACE TEMP VIEW maillog_schema_tables AS
SELECT * FROM information_schema.tables WHERE table_catalog = current_database();
CREATE OR REPLACE TEMP VIEW maillog_schema_views AS
SELECT table_catalog, table_schema, table_name, NULL::VARCHAR AS view_definition, 'NONE' AS check_option, 'NO' AS is_updatable,
    'NO' AS is_insertable_into, 'NO' AS is_trigger_updatable, 'NO' AS is_trigger_deletable, 'NO' AS is_trigger_insertable_into
FROM information_schema.tables WHERE table_catalog = current_database() AND table_type = 'VIEW';
CREATE OR REPLACE TEMP VIEW maillog_schema_columns AS
SELECT c.* REPLACE (t.maillog_shown AS data_type), t.typname AS udt_name, 'pg_catalog' AS udt_schema, c.table_catalog AS udt_catalog
FROM information_schema.columns c JOIN pg_type t ON t.oid = maillog_type_oid(c.data_type)
WHERE c.table_catalog = current_database();
CREATE OR REPLACE TEMP VIEW maillog_schema_schemata AS
SELECT * FROM information_schema.schemata WHERE catalog_name = current_database() AND schema_name = 'main';
-- Empty here.
CREATE OR REPLACE TEMP VIEW pg_index AS SELECT NULL::BIGINT AS indexrelid, NULL::BIGINT AS indrelid, NULL::BIGINT AS indnatts, NULL::BIGINT AS indnkeyatts, NULL::BOOLEAN AS indisunique, NULL::BOOLEAN AS indnullsnotdistinct, NULL::BOOLEAN AS indisprimary, NULL::BOOLEAN AS indisexclusion, NULL::BOOLEAN AS indimmediate, NULL::BOOLEAN AS indisclustered, NULL::BOOLEAN AS indisvalid, NULL::BOOLEAN AS indcheckxmin, NULL::BOOLEAN AS indisready, NULL::BOOLEAN AS indislive, NULL::BOOLEAN AS indisreplident, NULL::BIGINT[] AS indkey, NULL::BIGINT[] AS indcollation, NULL::BIGINT[] AS indclass, NULL::BIGINT[] AS indoption, NULL::VARCHAR AS indexprs, NULL::VARCHAR AS indpred WHERE false;
CREATE OR REPLACE TEMP VIEW pg_indexes AS SELECT NULL::VARCHAR AS schemaname, NULL::VARCHAR AS tablename, NULL::VARCHAR AS indexname, NULL::VARCHAR AS tablespace, NULL::VARCHAR AS indexdef WHERE false;
CREATE OR REPLACE TEMP VIEW pg_constraint AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS conname, NULL::BIGINT AS connamespace, NULL::VARCHAR AS contype, NULL::BOOLEAN AS condeferrable, NULL::BOOLEAN AS condeferred, NULL::BOOLEAN AS convalidated, NULL::BIGINT AS conrelid, NULL::BIGINT AS contypid, NULL::BIGINT AS conindid, NULL::BIGINT AS conparentid, NULL::BIGINT AS confrelid, NULL::VARCHAR AS confupdtype, NULL::VARCHAR AS confdeltype, NULL::VARCHAR AS confmatchtype, NULL::BOOLEAN AS conislocal, NULL::BIGINT AS coninhcount, NULL::BOOLEAN AS connoinherit, NULL::BIGINT[] AS conkey, NULL::BIGINT[] AS confkey, NULL::BIGINT[] AS conpfeqop, NULL::BIGINT[] AS conppeqop, NULL::BIGINT[] AS conffeqop, NULL::BIGINT[] AS confdelsetcols, NULL::BIGINT[] AS conexclop, NULL::VARCHAR AS conbin, NULL::VARCHAR AS consrc WHERE false;
CREATE OR REPLACE TEMP VIEW pg_attrdef AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS adrelid, NULL::BIGINT AS adnum, NULL::VARCHAR AS adbin, NULL::VARCHAR AS adsrc WHERE false;
CREATE OR REPLACE TEMP VIEW pg_description AS SELECT NULL::BIGINT AS objoid, NULL::BIGINT AS classoid, NULL::BIGINT AS objsubid, NULL::VARCHAR AS description WHERE false;
CREATE OR REPLACE TEMP VIEW pg_shdescription AS SELECT NULL::BIGINT AS objoid, NULL::BIGINT AS classoid, NULL::VARCHAR AS description WHERE false;
CREATE OR REPLACE TEMP VIEW pg_depend AS SELECT NULL::BIGINT AS classid, NULL::BIGINT AS objid, NULL::BIGINT AS objsubid, NULL::BIGINT AS refclassid, NULL::BIGINT AS refobjid, NULL::BIGINT AS refobjsubid, NULL::VARCHAR AS deptype WHERE false;
CREATE OR REPLACE TEMP VIEW pg_inherits AS SELECT NULL::BIGINT AS inhrelid, NULL::BIGINT AS inhparent, NULL::BIGINT AS inhseqno, NULL::BOOLEAN AS inhdetachpending WHERE false;
CREATE OR REPLACE TEMP VIEW pg_partitioned_table AS SELECT NULL::BIGINT AS partrelid, NULL::VARCHAR AS partstrat, NULL::BIGINT AS partnatts, NULL::BIGINT AS partdefid, NULL::BIGINT[] AS partattrs, NULL::BIGINT[] AS partclass, NULL::BIGINT[] AS partcollation, NULL::VARCHAR AS partexprs WHERE false;
CREATE OR REPLACE TEMP VIEW pg_policy AS SELECT NULL::BIGINT AS oid, NULL::VARCHAR AS polname, NULL::BIGINT AS polrelid, NULL::VARCHAR AS polcmd, NULL::BOOLEAN AS polpermissive, NULL::BIGINT[] AS polroles, NULL::VARCHAR AS polqual, NULL::VARCHAR AS polwithcheck WHERE false;
CREATE OR REPLACE TEMP VIEW pg_policies AS SELECT NULL::VARCHAR AS schemaname, NULL::VARCHAR AS tablename, NULL::VARCHAR AS policyname, NULL::VARCHAR AS permissive, NULL::VARCHAR[] AS roles, NULL::VARCHAR AS cmd, NULL::VARCHAR AS qual, NULL::VARCHAR AS with_check WHERE false;
CREATE OR REPLACE TEMP VIEW pg_rewrite AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS rulename, NULL::BIGINT AS ev_class, NULL::VARCHAR AS ev_type, NULL::VARCHAR AS ev_enabled, NULL::BOOLEAN AS is_instead, NULL::VARCHAR AS ev_qual, NULL::VARCHAR AS ev_action WHERE false;
CREATE OR REPLACE TEMP VIEW pg_rules AS SELECT NULL::VARCHAR AS schemaname, NULL::VARCHAR AS tablename, NULL::VARCHAR AS rulename, NULL::VARCHAR AS definition WHERE false;
CREATE OR REPLACE TEMP VIEW pg_trigger AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS tgrelid, NULL::BIGINT AS tgparentid, NULL::VARCHAR AS tgname, NULL::BIGINT AS tgfoid, NULL::BIGINT AS tgtype, NULL::VARCHAR AS tgenabled, NULL::BOOLEAN AS tgisinternal, NULL::BIGINT AS tgconstrrelid, NULL::BIGINT AS tgconstrindid, NULL::BIGINT AS tgconstraint, NULL::BOOLEAN AS tgdeferrable, NULL::BOOLEAN AS tginitdeferred, NULL::BIGINT AS tgnargs, NULL::BIGINT[] AS tgattr, NULL::VARCHAR AS tgargs, NULL::VARCHAR AS tgqual, NULL::VARCHAR AS tgoldtable, NULL::VARCHAR AS tgnewtable WHERE false;
CREATE OR REPLACE TEMP VIEW pg_statistic_ext AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS stxrelid, NULL::VARCHAR AS stxname, NULL::BIGINT AS stxnamespace, NULL::BIGINT AS stxowner, NULL::BIGINT AS stxstattarget, NULL::BIGINT[] AS stxkeys, NULL::VARCHAR[] AS stxkind, NULL::VARCHAR AS stxexprs WHERE false;
CREATE OR REPLACE TEMP VIEW pg_publication AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS pubname, NULL::BIGINT AS pubowner, NULL::BOOLEAN AS puballtables, NULL::BOOLEAN AS pubinsert, NULL::BOOLEAN AS pubupdate, NULL::BOOLEAN AS pubdelete, NULL::BOOLEAN AS pubtruncate, NULL::BOOLEAN AS pubviaroot WHERE false;
CREATE OR REPLACE TEMP VIEW pg_publication_rel AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS prpubid, NULL::BIGINT AS prrelid, NULL::VARCHAR AS prqual, NULL::BIGINT[] AS prattrs WHERE false;
CREATE OR REPLACE TEMP VIEW pg_publication_namespace AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS pnpubid, NULL::BIGINT AS pnnspid WHERE false;
CREATE OR REPLACE TEMP VIEW pg_publication_tables AS SELECT NULL::VARCHAR AS pubname, NULL::VARCHAR AS schemaname, NULL::VARCHAR AS tablename, NULL::VARCHAR[] AS attnames, NULL::VARCHAR AS rowfilter WHERE false;
CREATE OR REPLACE TEMP VIEW pg_subscription AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS subdbid, NULL::VARCHAR AS subname, NULL::BIGINT AS subowner, NULL::BOOLEAN AS subenabled, NULL::BOOLEAN AS subbinary, NULL::BOOLEAN AS substream, NULL::VARCHAR AS subtwophasestate, NULL::BOOLEAN AS subdisableonerr, NULL::VARCHAR AS subconninfo, NULL::VARCHAR AS subslotname, NULL::VARCHAR AS subsynccommit, NULL::VARCHAR[] AS subpublications, NULL::VARCHAR AS subskiplsn WHERE false;
CREATE OR REPLACE TEMP VIEW pg_foreign_table AS SELECT NULL::BIGINT AS ftrelid, NULL::BIGINT AS ftserver, NULL::VARCHAR[] AS ftoptions WHERE false;
CREATE OR REPLACE TEMP VIEW pg_foreign_server AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS srvname, NULL::BIGINT AS srvowner, NULL::BIGINT AS srvfdw, NULL::VARCHAR AS srvtype, NULL::VARCHAR AS srvversion, NULL::VARCHAR[] AS srvacl, NULL::VARCHAR[] AS srvoptions WHERE false;
CREATE OR REPLACE TEMP VIEW pg_foreign_data_wrapper AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS fdwname, NULL::BIGINT AS fdwowner, NULL::BIGINT AS fdwhandler, NULL::BIGINT AS fdwvalidator, NULL::VARCHAR[] AS fdwacl, NULL::VARCHAR[] AS fdwoptions WHERE false;
CREATE OR REPLACE TEMP VIEW pg_user_mappings AS SELECT NULL::BIGINT AS umid, NULL::BIGINT AS srvid, NULL::VARCHAR AS srvname, NULL::BIGINT AS umuser, NULL::VARCHAR AS usename, NULL::VARCHAR[] AS umoptions WHERE false;
CREATE OR REPLACE TEMP VIEW pg_extension AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS extname, NULL::BIGINT AS extowner, NULL::BIGINT AS extnamespace, NULL::BOOLEAN AS extrelocatable, NULL::VARCHAR AS extversion, NULL::BIGINT[] AS extconfig, NULL::VARCHAR[] AS extcondition WHERE false;
CREATE OR REPLACE TEMP VIEW pg_available_extensions AS SELECT NULL::VARCHAR AS name, NULL::VARCHAR AS default_version, NULL::VARCHAR AS installed_version, NULL::VARCHAR AS comment WHERE false;
CREATE OR REPLACE TEMP VIEW pg_tablespace AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS spcname, NULL::BIGINT AS spcowner, NULL::VARCHAR[] AS spcacl, NULL::VARCHAR[] AS spcoptions WHERE false;
CREATE OR REPLACE TEMP VIEW pg_collation AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS collname, NULL::BIGINT AS collnamespace, NULL::BIGINT AS collowner, NULL::VARCHAR AS collprovider, NULL::BOOLEAN AS collisdeterministic, NULL::BIGINT AS collencoding, NULL::VARCHAR AS collcollate, NULL::VARCHAR AS collctype, NULL::VARCHAR AS colliculocale, NULL::VARCHAR AS collversion WHERE false;
CREATE OR REPLACE TEMP VIEW pg_proc AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS proname, NULL::BIGINT AS pronamespace, NULL::BIGINT AS proowner, NULL::BIGINT AS prolang, NULL::BIGINT AS procost, NULL::BIGINT AS prorows, NULL::BIGINT AS provariadic, NULL::BIGINT AS prosupport, NULL::VARCHAR AS prokind, NULL::BOOLEAN AS prosecdef, NULL::BOOLEAN AS proleakproof, NULL::BOOLEAN AS proisstrict, NULL::BOOLEAN AS proretset, NULL::VARCHAR AS provolatile, NULL::VARCHAR AS proparallel, NULL::BIGINT AS pronargs, NULL::BIGINT AS pronargdefaults, NULL::BIGINT AS prorettype, NULL::BIGINT[] AS proargtypes, NULL::BIGINT[] AS proallargtypes, NULL::VARCHAR[] AS proargmodes, NULL::VARCHAR[] AS proargnames, NULL::VARCHAR AS proargdefaults, NULL::BIGINT[] AS protrftypes, NULL::VARCHAR AS prosrc, NULL::VARCHAR AS probin, NULL::VARCHAR AS prosqlbody, NULL::VARCHAR[] AS proconfig, NULL::VARCHAR[] AS proacl, NULL::BOOLEAN AS proisagg WHERE false;
CREATE OR REPLACE TEMP VIEW pg_aggregate AS SELECT NULL::BIGINT AS aggfnoid, NULL::VARCHAR AS aggkind, NULL::BIGINT AS aggnumdirectargs WHERE false;
CREATE OR REPLACE TEMP VIEW pg_language AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS lanname, NULL::BIGINT AS lanowner, NULL::BOOLEAN AS lanispl, NULL::BOOLEAN AS lanpltrusted, NULL::BIGINT AS lanplcallfoid, NULL::BIGINT AS laninline, NULL::BIGINT AS lanvalidator, NULL::VARCHAR[] AS lanacl WHERE false;
CREATE OR REPLACE TEMP VIEW pg_operator AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS oprname, NULL::BIGINT AS oprnamespace, NULL::BIGINT AS oprowner, NULL::VARCHAR AS oprkind, NULL::BIGINT AS oprleft, NULL::BIGINT AS oprright, NULL::BIGINT AS oprresult, NULL::BIGINT AS oprcode WHERE false;
CREATE OR REPLACE TEMP VIEW pg_opclass AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS opcmethod, NULL::VARCHAR AS opcname, NULL::BIGINT AS opcnamespace, NULL::BIGINT AS opcowner, NULL::BIGINT AS opcfamily, NULL::BIGINT AS opcintype, NULL::BOOLEAN AS opcdefault, NULL::BIGINT AS opckeytype WHERE false;
CREATE OR REPLACE TEMP VIEW pg_opfamily AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS opfmethod, NULL::VARCHAR AS opfname, NULL::BIGINT AS opfnamespace, NULL::BIGINT AS opfowner WHERE false;
CREATE OR REPLACE TEMP VIEW pg_amop AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS amopfamily, NULL::BIGINT AS amoplefttype, NULL::BIGINT AS amoprighttype, NULL::BIGINT AS amopstrategy, NULL::VARCHAR AS amoppurpose, NULL::BIGINT AS amopopr, NULL::BIGINT AS amopmethod, NULL::BIGINT AS amopsortfamily WHERE false;
CREATE OR REPLACE TEMP VIEW pg_amproc AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS amprocfamily, NULL::BIGINT AS amproclefttype, NULL::BIGINT AS amprocrighttype, NULL::BIGINT AS amprocnum, NULL::BIGINT AS amproc WHERE false;
CREATE OR REPLACE TEMP VIEW pg_largeobject_metadata AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS lomowner, NULL::VARCHAR[] AS lomacl WHERE false;
CREATE OR REPLACE TEMP VIEW pg_cast AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::BIGINT AS castsource, NULL::BIGINT AS casttarget, NULL::BIGINT AS castfunc, NULL::VARCHAR AS castcontext, NULL::VARCHAR AS castmethod WHERE false;
CREATE OR REPLACE TEMP VIEW pg_conversion AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS conname, NULL::BIGINT AS connamespace, NULL::BIGINT AS conowner WHERE false;
CREATE OR REPLACE TEMP VIEW pg_enum AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS enumtypid, NULL::BIGINT AS enumsortorder, NULL::VARCHAR AS enumlabel WHERE false;
CREATE OR REPLACE TEMP VIEW pg_range AS SELECT NULL::BIGINT AS rngtypid, NULL::BIGINT AS rngsubtype, NULL::BIGINT AS rngmultitypid, NULL::BIGINT AS rngcollation, NULL::BIGINT AS rngsubopc WHERE false;
CREATE OR REPLACE TEMP VIEW pg_event_trigger AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS evtname, NULL::VARCHAR AS evtevent, NULL::BIGINT AS evtowner, NULL::BIGINT AS evtfoid, NULL::VARCHAR AS evtenabled, NULL::VARCHAR[] AS evttags WHERE false;
CREATE OR REPLACE TEMP VIEW pg_default_acl AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS defaclrole, NULL::BIGINT AS defaclnamespace, NULL::VARCHAR AS defaclobjtype, NULL::VARCHAR[] AS defaclacl WHERE false;
CREATE OR REPLACE TEMP VIEW pg_auth_members AS SELECT NULL::BIGINT AS roleid, NULL::BIGINT AS member, NULL::BIGINT AS grantor, NULL::BOOLEAN AS admin_option WHERE false;
CREATE OR REPLACE TEMP VIEW pg_db_role_setting AS SELECT NULL::BIGINT AS setdatabase, NULL::BIGINT AS setrole, NULL::VARCHAR[] AS setconfig WHERE false;
CREATE OR REPLACE TEMP VIEW pg_seclabel AS SELECT NULL::BIGINT AS objoid, NULL::BIGINT AS classoid, NULL::BIGINT AS objsubid, NULL::VARCHAR AS provider, NULL::VARCHAR AS label WHERE false;
CREATE OR REPLACE TEMP VIEW pg_shseclabel AS SELECT NULL::BIGINT AS objoid, NULL::BIGINT AS classoid, NULL::VARCHAR AS provider, NULL::VARCHAR AS label WHERE false;
CREATE OR REPLACE TEMP VIEW pg_sequence AS SELECT NULL::BIGINT AS seqrelid, NULL::BIGINT AS seqtypid, NULL::BIGINT AS seqstart, NULL::BIGINT AS seqincrement, NULL::BIGINT AS seqmax, NULL::BIGINT AS seqmin, NULL::BIGINT AS seqcache, NULL::BOOLEAN AS seqcycle WHERE false;
CREATE OR REPLACE TEMP VIEW pg_sequences AS SELECT NULL::VARCHAR AS schemaname, NULL::VARCHAR AS sequencename, NULL::VARCHAR AS sequenceowner, NULL::VARCHAR AS data_type, NULL::BIGINT AS start_value, NULL::BIGINT AS min_value, NULL::BIGINT AS max_value, NULL::BIGINT AS increment_by, NULL::BOOLEAN AS cycle, NULL::BIGINT AS cache_size, NULL::BIGINT AS last_value WHERE false;
CREATE OR REPLACE TEMP VIEW pg_matviews AS SELECT NULL::VARCHAR AS schemaname, NULL::VARCHAR AS matviewname, NULL::VARCHAR AS matviewowner, NULL::VARCHAR AS tablespace, NULL::BOOLEAN AS hasindexes, NULL::BOOLEAN AS ispopulated, NULL::VARCHAR AS definition WHERE false;
CREATE OR REPLACE TEMP VIEW pg_locks AS SELECT NULL::VARCHAR AS locktype, NULL::BIGINT AS database, NULL::BIGINT AS relation, NULL::BIGINT AS pid, NULL::VARCHAR AS mode, NULL::BOOLEAN AS granted WHERE false;
CREATE OR REPLACE TEMP VIEW pg_stat_activity AS SELECT NULL::BIGINT AS datid, NULL::VARCHAR AS datname, NULL::BIGINT AS pid, NULL::BIGINT AS usesysid, NULL::VARCHAR AS usename, NULL::VARCHAR AS application_name, NULL::VARCHAR AS client_addr, NULL::BIGINT AS client_port, NULL::VARCHAR AS backend_start, NULL::VARCHAR AS state, NULL::VARCHAR AS query, NULL::VARCHAR AS backend_type WHERE false;
CREATE OR REPLACE TEMP VIEW pg_stat_user_tables AS SELECT NULL::BIGINT AS relid, NULL::VARCHAR AS schemaname, NULL::VARCHAR AS relname, NULL::BIGINT AS seq_scan, NULL::BIGINT AS idx_scan, NULL::BIGINT AS n_live_tup, NULL::BIGINT AS n_dead_tup WHERE false;
CREATE OR REPLACE TEMP VIEW pg_ts_config AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS cfgname, NULL::BIGINT AS cfgnamespace, NULL::BIGINT AS cfgowner, NULL::BIGINT AS cfgparser WHERE false;
CREATE OR REPLACE TEMP VIEW pg_ts_dict AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS dictname, NULL::BIGINT AS dictnamespace, NULL::BIGINT AS dictowner WHERE false;
CREATE OR REPLACE TEMP VIEW pg_ts_parser AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS prsname, NULL::BIGINT AS prsnamespace WHERE false;
CREATE OR REPLACE TEMP VIEW pg_ts_template AS SELECT NULL::BIGINT AS oid, NULL::BIGINT AS tableoid, NULL::VARCHAR AS tmplname, NULL::BIGINT AS tmplnamespace WHERE false;
CREATE OR REPLACE TEMP VIEW pg_prepared_xacts AS SELECT NULL::BIGINT AS transaction, NULL::VARCHAR AS gid, NULL::VARCHAR AS prepared, NULL::VARCHAR AS owner, NULL::VARCHAR AS database WHERE false;
CREATE OR REPLACE TEMP VIEW pg_timezone_names AS SELECT NULL::VARCHAR AS name, NULL::VARCHAR AS abbrev, NULL::VARCHAR AS utc_offset, NULL::BOOLEAN AS is_dst WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_table_constraints AS SELECT NULL::VARCHAR AS constraint_catalog, NULL::VARCHAR AS constraint_schema, NULL::VARCHAR AS constraint_name, NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name, NULL::VARCHAR AS constraint_type, NULL::VARCHAR AS is_deferrable, NULL::VARCHAR AS initially_deferred, NULL::VARCHAR AS enforced WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_key_column_usage AS SELECT NULL::VARCHAR AS constraint_catalog, NULL::VARCHAR AS constraint_schema, NULL::VARCHAR AS constraint_name, NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name, NULL::VARCHAR AS column_name, NULL::BIGINT AS ordinal_position, NULL::BIGINT AS position_in_unique_constraint WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_constraint_column_usage AS SELECT NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name, NULL::VARCHAR AS column_name, NULL::VARCHAR AS constraint_catalog, NULL::VARCHAR AS constraint_schema, NULL::VARCHAR AS constraint_name WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_referential_constraints AS SELECT NULL::VARCHAR AS constraint_catalog, NULL::VARCHAR AS constraint_schema, NULL::VARCHAR AS constraint_name, NULL::VARCHAR AS unique_constraint_catalog, NULL::VARCHAR AS unique_constraint_schema, NULL::VARCHAR AS unique_constraint_name, NULL::VARCHAR AS match_option, NULL::VARCHAR AS update_rule, NULL::VARCHAR AS delete_rule WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_routines AS SELECT NULL::VARCHAR AS specific_catalog, NULL::VARCHAR AS specific_schema, NULL::VARCHAR AS specific_name, NULL::VARCHAR AS routine_catalog, NULL::VARCHAR AS routine_schema, NULL::VARCHAR AS routine_name, NULL::VARCHAR AS routine_type, NULL::VARCHAR AS data_type WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_table_privileges AS SELECT NULL::VARCHAR AS grantor, NULL::VARCHAR AS grantee, NULL::VARCHAR AS table_catalog, NULL::VARCHAR AS table_schema, NULL::VARCHAR AS table_name, NULL::VARCHAR AS privilege_type, NULL::VARCHAR AS is_grantable WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_triggers AS SELECT NULL::VARCHAR AS trigger_catalog, NULL::VARCHAR AS trigger_schema, NULL::VARCHAR AS trigger_name, NULL::VARCHAR AS event_manipulation, NULL::VARCHAR AS event_object_schema, NULL::VARCHAR AS event_object_table WHERE false;
CREATE OR REPLACE TEMP VIEW maillog_schema_sequences AS SELECT NULL::VARCHAR AS sequence_catalog, NULL::VARCHAR AS sequence_schema, NULL::VARCHAR AS sequence_name, NULL::VARCHAR AS data_type WHERE false;
