-- Why mail was not delivered or not taken, in one word of src/cause/causes.toml; `dnsbl` is the block list that a reply names.
-- cause(reason, dsn, rule) and cause_dnsbl(...) are functions of the program; ingest asks the same code.

ALTER TABLE delivery_to ADD COLUMN cause VARCHAR;
ALTER TABLE delivery_to ADD COLUMN dnsbl VARCHAR;
ALTER TABLE delivery_attempt ADD COLUMN cause VARCHAR;
ALTER TABLE delivery_attempt ADD COLUMN dnsbl VARCHAR;
ALTER TABLE noqueue ADD COLUMN cause VARCHAR;

UPDATE delivery_to
SET cause = cause(coalesce(reason, ''), dsn, ''), dnsbl = cause_dnsbl(coalesce(reason, ''), dsn, '')
WHERE dsn NOT LIKE '2.%';

UPDATE delivery_to
SET cause = nullif(cause(coalesce(reason, ''), dsn, ''), 'other')
WHERE status = 'discarded'
    AND dsn LIKE '2.%';

UPDATE delivery_attempt
SET cause = cause(coalesce(reason, ''), dsn, ''), dnsbl = cause_dnsbl(coalesce(reason, ''), dsn, '')
WHERE dsn NOT LIKE '2.%';

UPDATE noqueue
SET cause = cause(CASE WHEN rule IS NULL THEN action ELSE reason END, coalesce(dsn, ''), coalesce(rule, ''));

CREATE OR REPLACE VIEW attempt AS
SELECT
    id AS to_id, from_id, time, agent, relay, relay_name, relay_address, relay_port, conn_use, delay, delay_before_qmgr,
    delay_in_qmgr, delay_conn_setup, delay_transmission, tls, dsn, status, reply_code, reason, remote_queue_id,
    true AS is_last, cause, dnsbl
FROM delivery_to
WHERE attempts > 0
UNION ALL
SELECT
    to_id, from_id, time, agent, relay, relay_name, relay_address, relay_port, conn_use, delay, delay_before_qmgr,
    delay_in_qmgr, delay_conn_setup, delay_transmission, tls, dsn, status, reply_code, reason, remote_queue_id,
    false AS is_last, cause, dnsbl
FROM delivery_attempt;
