-- Postfix's queue as it was listed last, and what was counted in each listing.

CREATE TABLE queue_listing (
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    myhostname VARCHAR NOT NULL,
    instance VARCHAR NOT NULL,
    mails BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    recipients BIGINT NOT NULL,
    oldest TIMESTAMP,
    odd BIGINT NOT NULL,
    minimal_backoff BIGINT NOT NULL,
    maximal_backoff BIGINT NOT NULL
);
COMMENT ON TABLE queue_listing IS 'The last listing of the queue, one row';
COMMENT ON COLUMN queue_listing.myhostname IS 'Name of the machine in the settings of Postfix, which its own log file has';
COMMENT ON COLUMN queue_listing.stored IS 'Mails that are rows of queued_mail: the first ones of a very long queue';
COMMENT ON COLUMN queue_listing.odd IS 'Parts of the listing that could not be read';
COMMENT ON COLUMN queue_listing.minimal_backoff IS 'Seconds, from the settings of Postfix';

CREATE TABLE queued_mail (
    time TIMESTAMP NOT NULL,
    queue_id VARCHAR NOT NULL,
    digest BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    forced_expire BOOLEAN NOT NULL,
    arrival_time TIMESTAMP,
    size BIGINT,
    sender VARCHAR,
    nrcpt BIGINT NOT NULL,
    reason VARCHAR,
    cause VARCHAR,
    odd VARCHAR
);
COMMENT ON TABLE queued_mail IS 'Mails of the last listing; the view queue has them beside what the log knows';
COMMENT ON COLUMN queued_mail.time IS 'When the row was written: it stays while nothing of the mail changes';

CREATE TABLE queued_recipient (
    time TIMESTAMP NOT NULL,
    queue_id VARCHAR NOT NULL,
    recipient VARCHAR NOT NULL,
    reason VARCHAR,
    cause VARCHAR
);
COMMENT ON TABLE queued_recipient IS 'Recipients that wait for a mail of the last listing';

CREATE TABLE queue_snapshot (
    time TIMESTAMP NOT NULL,
    host VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    domain VARCHAR,
    mails BIGINT NOT NULL,
    recipients BIGINT NOT NULL,
    size BIGINT NOT NULL,
    oldest TIMESTAMP
);
COMMENT ON TABLE queue_snapshot IS 'Counts of each listing: of each queue, and of the domains in it with the most recipients';
COMMENT ON COLUMN queue_snapshot.domain IS 'Domain of the recipients; NULL is the whole queue';
COMMENT ON COLUMN queue_snapshot.mails IS 'A mail with recipients in several domains counts in each';

-- A mail is the first message of its id that is not older: ids are used again, and a log tells whole seconds.
CREATE VIEW queue AS
WITH
    messages AS (
        SELECT
            f.id, f.host, f.instance, f.queue_id, f.time, f.removed, f.status, f.root_id, f.message_id, f.subject,
            f.client_name, f.client_address, f.sasl_username
        FROM delivery_from f
        WHERE f.queue_id IN (SELECT m.queue_id FROM queued_mail m)
    ),
    joined AS (
        SELECT
            m.queue_id, m.status, m.forced_expire, m.arrival_time, m.size, m.sender, m.nrcpt, m.reason, m.cause, m.odd,
            f.id AS from_id, f.host, f.instance, f.removed, f.status AS log_status, f.root_id, f.message_id, f.subject,
            f.client_name, f.client_address, f.sasl_username
        FROM queued_mail m
        ASOF LEFT JOIN messages f ON m.queue_id = f.queue_id AND m.arrival_time - INTERVAL 5 SECOND <= f.time
    ),
    tried AS (
        SELECT
            t.from_id,
            max(t.attempts) AS attempts,
            min(t.first_time) FILTER (WHERE t.status IN ('deferred', 'SOFTBOUNCE')) AS first_deferral,
            max(t.time) AS last_attempt,
            arg_max(t.cause, t.time) AS cause
        FROM delivery_to t
        WHERE t.attempts > 0
            AND t.from_id IN (SELECT j.from_id FROM joined j)
        GROUP BY t.from_id
    )
SELECT
    j.queue_id,
    j.status,
    j.forced_expire,
    j.arrival_time,
    j.size,
    j.sender,
    j.nrcpt,
    j.reason,
    coalesce(j.cause, t.cause) AS cause,
    coalesce(t.attempts, CASE WHEN j.from_id IS NOT NULL THEN 0 END) AS attempts,
    t.first_deferral,
    t.last_attempt,
    CASE WHEN j.status = 'deferred' THEN t.last_attempt + to_seconds(greatest(
        l.minimal_backoff,
        least(l.maximal_backoff, date_diff('second', j.arrival_time, t.last_attempt))
    )) END AS next_attempt,
    CASE WHEN r.id IS NULL THEN j.client_name ELSE coalesce(r.client_name, j.client_name) END AS client_name,
    CASE WHEN r.id IS NULL THEN j.client_address ELSE coalesce(r.client_address, j.client_address) END AS client_address,
    coalesce(j.sasl_username, r.sasl_username) AS sasl_username,
    j.subject,
    j.message_id,
    j.odd,
    j.from_id,
    j.root_id,
    j.host,
    j.instance,
    j.log_status,
    j.removed,
    l.time AS listed
FROM joined j
LEFT JOIN tried t ON t.from_id = j.from_id
LEFT JOIN delivery_from r ON r.id = j.root_id AND r.id <> j.from_id
CROSS JOIN queue_listing l;

CREATE VIEW queue_recipient AS
SELECT
    r.queue_id,
    q.from_id,
    q.status,
    q.arrival_time,
    q.sender,
    r.recipient,
    r.reason,
    r.cause,
    q.listed
FROM queued_recipient r
JOIN queue q ON q.queue_id = r.queue_id;

-- Where the log and the last listing of the queue disagree. The log of some seconds before the listing may not have been complete.
CREATE VIEW queue_disagreement AS
WITH
    ours AS (
        SELECT DISTINCT q.host FROM queue q WHERE q.host IS NOT NULL
        UNION
        SELECT DISTINCT c.host
        FROM coverage c
        JOIN queue_listing l
            ON lower(split_part(c.host, '.', 1)) IN (lower(split_part(l.host, '.', 1)), lower(split_part(l.myhostname, '.', 1)))
    )
SELECT 'not in the log' AS what, q.queue_id, q.arrival_time AS time, q.sender, NULL::BIGINT AS from_id
FROM queue q
WHERE q.from_id IS NULL
    AND q.arrival_time < q.listed - INTERVAL 1 MINUTE
UNION ALL
SELECT 'left the queue in the log', q.queue_id, q.removed, q.sender, q.from_id
FROM queue q
WHERE q.removed < q.listed - INTERVAL 1 MINUTE
UNION ALL
SELECT 'not in the queue', f.queue_id, f.time, f.sender, f.id
FROM delivery_from f
CROSS JOIN queue_listing l
WHERE f.removed IS NULL
    AND f.status IN ('queued', 'held')
    AND f.updated < l.time - INTERVAL 1 MINUTE
    AND l.stored = l.mails
    AND f.instance = l.instance
    AND f.host IN (SELECT o.host FROM ours o)
    AND f.id NOT IN (SELECT q.from_id FROM queue q WHERE q.from_id IS NOT NULL)
    AND f.queue_id NOT IN (SELECT q.queue_id FROM queue q WHERE q.from_id IS NULL);
