-- What every connection that asks sees: times of the present as stored times are, TIMESTAMP in UTC. DuckDB's own are of another type,
-- with which nothing can be reckoned without ICU, or are missing.
CREATE OR REPLACE TEMP MACRO now() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO transaction_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO statement_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO clock_timestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO current_localtimestamp() AS get_current_timestamp()::TIMESTAMP;
CREATE OR REPLACE TEMP MACRO current_date() AS get_current_timestamp()::TIMESTAMP::DATE;
CREATE OR REPLACE TEMP MACRO today() AS get_current_timestamp()::TIMESTAMP::DATE;
CREATE OR REPLACE TEMP MACRO to_timestamp(seconds) AS make_timestamp((seconds::DOUBLE * 1000000)::BIGINT);
CREATE OR REPLACE TEMP MACRO timezone(zone, t) AS in_zone(t::TIMESTAMP, zone);
