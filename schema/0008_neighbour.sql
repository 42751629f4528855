-- What other mail daemons did with a message or said of it: the mail store (dovecot, Cyrus), filters (rspamd, amavis, spamd). Never
-- Postfix's word. A row is one line of theirs; to which mail it belongs is found when that is asked for, because their log may be read
-- in another order than Postfix's, or from another host.
CREATE TABLE neighbour (
    id BIGINT NOT NULL,
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    program VARCHAR NOT NULL,
    queue_id VARCHAR,
    message_id VARCHAR,
    session VARCHAR,
    recipient VARCHAR,
    action VARCHAR NOT NULL,
    detail VARCHAR
);

-- The statement that a raw line is.
ALTER TABLE log_line ADD COLUMN neighbour_id BIGINT;

-- What the mail store did with what Postfix handed to it, by recipient: tied by the session that ends Postfix's record (`... Saved`), else
-- by Message-ID and recipient within two minutes of an attempt.
CREATE VIEW store_action AS
SELECT
    n.id, t.id AS to_id, t.from_id, t.queue_id, t.recipient, n.time, n.host, n.program, n.action, n.detail, n.session
FROM delivery_to t
JOIN neighbour n ON n.session = regexp_extract(t.reason, '([^ <>()]+) Saved$', 1)
WHERE n.session <> ''
    AND n.time BETWEEN t.first_time - INTERVAL 1 DAY AND t.time + INTERVAL 1 DAY
UNION ALL
SELECT
    n.id, t.id AS to_id, t.from_id, t.queue_id, t.recipient, n.time, n.host, n.program, n.action, n.detail, n.session
FROM delivery_to t
JOIN delivery_from f ON f.id = t.from_id
JOIN neighbour n ON n.message_id = f.message_id
WHERE n.program IN ('dovecot', 'cyrus')
    AND t.status NOT IN ('filtered', 'relayed', 'forwarded', 'requeued')
    AND n.time BETWEEN t.first_time - INTERVAL 2 MINUTE AND t.time + INTERVAL 2 MINUTE
    AND (n.session IS NULL OR coalesce(regexp_extract(t.reason, '([^ <>()]+) Saved$', 1), '') = '')
    AND (n.recipient IS NULL AND f.nrcpt = 1
        OR lower(n.recipient) IN (
            lower(t.recipient), lower(t.orig_to), lower(regexp_replace(t.recipient, '[+][^@]*@', '@')), lower(split_part(t.recipient, '@', 1)),
            lower(split_part(split_part(t.recipient, '@', 1), '+', 1))
        ));
