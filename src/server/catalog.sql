-- What PostgreSQL's clients expect; each connection has its own. Names without a schema are found here first.
CREATE OR REPLACE TEMP MACRO version() AS 'PostgreSQL 15.0 (maillog on DuckDB)';
CREATE OR REPLACE TEMP MACRO pg_backend_pid() AS {pid};
CREATE OR REPLACE TEMP MACRO now() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO transaction_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO statement_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO clock_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO to_timestamp(seconds) AS make_timestamp((seconds * 1000000)::BIGINT);
CREATE OR REPLACE TEMP MACRO timezone(zone, t) AS in_zone(t::TIMESTAMP, zone);
