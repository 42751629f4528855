-- The tables of maillog. Times are UTC. Never edited after a release: see CONTRIBUTING.
-- No primary keys and no indexes on big tables: ids only grow, so zone maps find them (design 2.4).

CREATE TABLE meta (
    key VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

-- One message: a queue file in one generation of its queue id.
CREATE TABLE delivery_from (
    id BIGINT NOT NULL,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    queue_id VARCHAR NOT NULL,
    time TIMESTAMP NOT NULL,
    updated TIMESTAMP NOT NULL,
    removed TIMESTAMP,
    service VARCHAR,
    client_name VARCHAR,
    client_address VARCHAR,
    client_port USMALLINT,
    helo_name VARCHAR,
    protocol_name VARCHAR,
    sasl_method VARCHAR,
    sasl_username VARCHAR,
    sasl_sender VARCHAR,
    orig_queue_id VARCHAR,
    orig_client VARCHAR,
    sender VARCHAR,
    message_id VARCHAR,
    resent_message_id VARCHAR,
    subject VARCHAR,
    size BIGINT,
    nrcpt INTEGER,
    uid BIGINT,
    tls VARCHAR,
    origin VARCHAR NOT NULL,
    parent_id BIGINT,
    parent_link VARCHAR,
    root_id BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    reason VARCHAR,
    log_incomplete BOOLEAN NOT NULL
);

-- One recipient of one message, in the state of its last attempt.
CREATE TABLE delivery_to (
    id BIGINT NOT NULL,
    from_id BIGINT NOT NULL,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    queue_id VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    orig_to VARCHAR,
    time TIMESTAMP NOT NULL,
    first_time TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL,
    agent VARCHAR,
    relay VARCHAR,
    relay_name VARCHAR,
    relay_address VARCHAR,
    relay_port USMALLINT,
    conn_use INTEGER,
    delay DOUBLE,
    delay_before_qmgr DOUBLE,
    delay_in_qmgr DOUBLE,
    delay_conn_setup DOUBLE,
    delay_transmission DOUBLE,
    tls VARCHAR,
    dsn VARCHAR,
    status VARCHAR NOT NULL,
    reply_code USMALLINT,
    reason VARCHAR,
    remote_queue_id VARCHAR
);

-- An attempt that was not the last of its recipient.
CREATE TABLE delivery_attempt (
    id BIGINT NOT NULL,
    to_id BIGINT NOT NULL,
    from_id BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    agent VARCHAR,
    relay VARCHAR,
    relay_name VARCHAR,
    relay_address VARCHAR,
    relay_port USMALLINT,
    conn_use INTEGER,
    delay DOUBLE,
    delay_before_qmgr DOUBLE,
    delay_in_qmgr DOUBLE,
    delay_conn_setup DOUBLE,
    delay_transmission DOUBLE,
    tls VARCHAR,
    dsn VARCHAR,
    status VARCHAR NOT NULL,
    reply_code USMALLINT,
    reason VARCHAR,
    remote_queue_id VARCHAR
);

-- One refusal.
CREATE TABLE noqueue (
    id BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    pid UINTEGER,
    action VARCHAR NOT NULL,
    protocol_state VARCHAR NOT NULL,
    client_name VARCHAR,
    client_address VARCHAR,
    client_port USMALLINT,
    helo_name VARCHAR,
    protocol_name VARCHAR,
    sender VARCHAR,
    recipient VARCHAR,
    sasl_method VARCHAR,
    sasl_username VARCHAR,
    reply_code USMALLINT,
    dsn VARCHAR,
    rule VARCHAR,
    dnsbl VARCHAR,
    reason VARCHAR NOT NULL,
    queue_id VARCHAR,
    from_id BIGINT,
    count INTEGER NOT NULL
);

-- One smtpd session.
CREATE TABLE connection (
    id BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    duration DOUBLE,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    pid UINTEGER,
    client_name VARCHAR,
    client_address VARCHAR,
    client_port USMALLINT,
    commands VARCHAR,
    tls VARCHAR,
    outcome VARCHAR NOT NULL,
    count INTEGER NOT NULL
);

-- One SASL log-in.
CREATE TABLE auth (
    id BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    client_name VARCHAR,
    client_address VARCHAR,
    sasl_method VARCHAR,
    sasl_username VARCHAR,
    ok BOOLEAN NOT NULL,
    reason VARCHAR,
    count INTEGER NOT NULL
);

-- Warnings, errors, notices: one row a template, service and UTC day.
CREATE TABLE event (
    day TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    service VARCHAR NOT NULL,
    level VARCHAR NOT NULL,
    template VARCHAR NOT NULL,
    sample VARCHAR NOT NULL,
    first_time TIMESTAMP NOT NULL,
    last_time TIMESTAMP NOT NULL,
    count BIGINT NOT NULL
);

-- Raw lines of young messages and refusals.
CREATE TABLE log_line (
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    from_id BIGINT,
    noqueue_id BIGINT,
    line VARCHAR NOT NULL
);

-- Where each source stands; written with what was read up to there.
CREATE TABLE source (
    id BIGINT NOT NULL,
    key VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    position BIGINT NOT NULL,
    journal_cursor VARCHAR,
    last_time TIMESTAMP,
    state VARCHAR NOT NULL,
    first_read TIMESTAMP NOT NULL,
    last_read TIMESTAMP NOT NULL
);

-- Lines chosen by their content, by which a piece of a log already read is recognised (source/anchor.rs).
CREATE TABLE anchor (
    source_id BIGINT NOT NULL,
    hash BIGINT NOT NULL,
    position BIGINT NOT NULL
);

-- What was read: one row a source, host and UTC hour.
CREATE TABLE coverage (
    source_id BIGINT NOT NULL,
    host VARCHAR NOT NULL,
    hour TIMESTAMP NOT NULL,
    first_time TIMESTAMP NOT NULL,
    last_time TIMESTAMP NOT NULL,
    lines BIGINT NOT NULL,
    understood BIGINT NOT NULL,
    ignored BIGINT NOT NULL,
    "foreign" BIGINT NOT NULL,
    not_understood BIGINT NOT NULL,
    lost BIGINT NOT NULL
);

-- Postfix lines that no rule knows: one row a service and template.
CREATE TABLE unparsed (
    service VARCHAR NOT NULL,
    template VARCHAR NOT NULL,
    sample VARCHAR NOT NULL,
    first_time TIMESTAMP,
    last_time TIMESTAMP,
    count BIGINT NOT NULL
);

-- The correlator's state that no other row holds.
CREATE TABLE open_message (
    name VARCHAR NOT NULL,
    state VARCHAR NOT NULL
);

-- Every attempt, the last ones included.
CREATE VIEW attempt AS
SELECT
    id AS to_id, from_id, time, agent, relay, relay_name, relay_address, relay_port, conn_use, delay, delay_before_qmgr,
    delay_in_qmgr, delay_conn_setup, delay_transmission, tls, dsn, status, reply_code, reason, remote_queue_id,
    true AS is_last
FROM delivery_to
WHERE attempts > 0
UNION ALL
SELECT
    to_id, from_id, time, agent, relay, relay_name, relay_address, relay_port, conn_use, delay, delay_before_qmgr,
    delay_in_qmgr, delay_conn_setup, delay_transmission, tls, dsn, status, reply_code, reason, remote_queue_id,
    false AS is_last
FROM delivery_attempt;

-- In flight according to the log.
CREATE VIEW queue_now AS
SELECT f.id, f.host, f.instance, f.queue_id, f.time, f.status AS message_status, f.sender, f.size, t.recipient, t.status, t.attempts, t.reason
FROM delivery_from f
LEFT JOIN delivery_to t ON t.from_id = f.id AND t.status IN ('deferred', 'SOFTBOUNCE', 'held')
WHERE f.removed IS NULL;
