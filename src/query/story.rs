//! Story: the statements that fetch all of one chain of messages, for `crate::story`.
//!
//! A chain is the messages of one root and the notices about any of them: their ids are found first, and the rest is fetched by them as
//! `$1` between the least `$2` and the greatest `$3`, which lets zone maps pass over all other rows.

/// Parent and root of messages.
pub const LINKS: &str = "\
SELECT id, parent_id, root_id FROM delivery_from
WHERE id BETWEEN $2 AND $3 AND id IN (SELECT unnest($1::BIGINT[]))
ORDER BY id";

/// Messages of the roots, and which root it is.
pub const OF_ROOTS: &str = "\
SELECT id, root_id FROM delivery_from
WHERE root_id BETWEEN $2 AND $3 AND root_id IN (SELECT unnest($1::BIGINT[]))
ORDER BY id";

/// Messages whose parent is one of them, and which one it is: the notices about them, and others of the root again.
pub const CHILDREN: &str = "\
SELECT id, parent_id FROM delivery_from
WHERE parent_id BETWEEN $2 AND $3 AND parent_id IN (SELECT unnest($1::BIGINT[]))
ORDER BY id";

/// Messages of the chain, oldest first.
pub const MESSAGES: &str = "\
SELECT
    id, host, instance, queue_id, time, updated, removed, service, client_name, client_address, helo_name,
    protocol_name, sasl_method, sasl_username, orig_client, sender, orig_sender, message_id, subject, size, nrcpt, uid, tls, origin,
    parent_id, parent_link, root_id, status, reason, log_incomplete, parent_inferred
FROM delivery_from
WHERE id BETWEEN $2 AND $3 AND id IN (SELECT unnest($1::BIGINT[]))
ORDER BY time, id";

/// Recipients of these messages in the state of their last attempt.
pub const RECIPIENTS: &str = "\
SELECT
    t.id, t.from_id, t.queue_id, t.recipient, t.orig_to, t.time, t.first_time, t.attempts, t.agent, t.relay, t.delay,
    t.delay_before_qmgr, t.delay_in_qmgr, t.delay_conn_setup, t.delay_transmission, t.tls, t.dsn, t.status,
    t.reply_code, t.reason, t.remote_queue_id, t.cause
FROM delivery_to t
WHERE t.from_id BETWEEN $2 AND $3 AND t.from_id IN (SELECT unnest($1::BIGINT[]))
ORDER BY t.time, t.id";

/// Earlier attempts of these recipients.
pub const ATTEMPTS: &str = "\
SELECT
    a.id, a.to_id, a.from_id, a.time, a.agent, a.relay, a.delay, a.tls, a.dsn, a.status, a.reply_code, a.reason,
    a.remote_queue_id
FROM delivery_attempt a
WHERE a.from_id BETWEEN $2 AND $3 AND a.from_id IN (SELECT unnest($1::BIGINT[]))
ORDER BY a.time, a.id";

/// Earlier refusals of the same mail: `$1` the recipients, `$2` from, `$3` until, `$4` the sender, `$5` the client's network, `$6` the
/// parent domain of its name with a dot in front, `$7` the sender's key, `$8` the message itself, `$9` its Message-ID.
///
/// Of messages that were not taken at their end the rows of their recipients stand for the line, which names one of them; where both
/// Message-IDs are known they must be the same.
pub const REFUSALS: &str = "\
WITH turned AS (
    SELECT f.id, f.queue_id, f.sender, f.client_name, f.client_address, f.message_id
    FROM delivery_from f
    WHERE f.time >= $2 AND f.time <= $3 AND f.id <> $8 AND f.status = 'rejected'
        AND (f.message_id = $9::VARCHAR AND (f.sender IS NULL OR $4::VARCHAR IS NULL OR lower(f.sender) = lower($4::VARCHAR))
            OR f.sender_key = $7 AND lower(f.sender) = lower($4::VARCHAR)
            AND (ip_in(f.client_address, $5) OR ends_with(lower(f.client_name), lower($6)))
            AND coalesce(f.message_id IN ('', '<>') OR f.message_id = $9::VARCHAR, true))
)
SELECT
    n.id, NULL::BIGINT AS turned_id, n.time, n.queue_id, n.recipient, n.sender, n.client_name, n.client_address, n.reply_code, n.dsn,
    n.rule, n.reason, n.count, n.cause
FROM noqueue n
WHERE n.time >= $2 AND n.time <= $3 AND n.sender_key = $7 AND lower(n.sender) = lower($4::VARCHAR)
    AND (ip_in(n.client_address, $5) OR ends_with(lower(n.client_name), lower($6)))
    AND lower(n.recipient) IN (SELECT lower(unnest($1::VARCHAR[])))
    AND (n.from_id IS NULL OR n.protocol_state IN ('CONNECT', 'HELO', 'EHLO', 'MAIL', 'RCPT') AND n.service NOT LIKE '%cleanup'
        OR n.from_id NOT IN (SELECT id FROM delivery_from WHERE time >= $2 AND time <= $3 AND status = 'rejected'))
UNION ALL
SELECT
    NULL, f.id, t.time, f.queue_id, t.recipient, f.sender, f.client_name, f.client_address, t.reply_code, t.dsn, NULL, t.reason, 1,
    t.cause
FROM turned f JOIN delivery_to t ON t.from_id = f.id
WHERE lower(t.recipient) IN (SELECT lower(unnest($1::VARCHAR[])))
ORDER BY 3, 1, 2";

/// The first mail of the same client, sender and recipient after a refusal, or with the same Message-ID, which goes first: `$1` from, `$2`
/// until, `$3` the sender, `$4` the recipient (none: any), `$5` the client's network, `$6` the parent domain of its name with a dot in
/// front, `$7` and `$8` the keys of sender and recipient, `$9` the Message-ID.
pub const LATER: &str = "\
SELECT f.id, f.root_id, f.queue_id, f.time
FROM delivery_from f JOIN delivery_to t ON t.from_id = f.id
WHERE f.time >= $1 AND f.time < $2 AND t.time >= $1 AND f.status NOT IN ('rejected', 'canceled')
    AND (f.sender_key = $7 AND lower(f.sender) = lower($3::VARCHAR)
        AND (ip_in(f.client_address, $5) OR ends_with(lower(f.client_name), lower($6)))
        OR f.message_id = $9::VARCHAR AND ($3::VARCHAR IS NULL OR lower(f.sender) = lower($3::VARCHAR)))
    AND (t.recipient_key = $8 AND lower(t.recipient) = lower($4::VARCHAR)
        OR t.orig_to_key = $8 AND lower(t.orig_to) = lower($4::VARCHAR)
        OR $4::VARCHAR IS NULL AND f.message_id = $9::VARCHAR)
ORDER BY coalesce(f.message_id = $9::VARCHAR, false) DESC, f.time, f.id
LIMIT 1";

/// What other mail daemons did with the messages: mail stores by recipient (`to_id`), filters by message.
pub const NEIGHBOURS: &str = "\
SELECT s.id, s.to_id, s.from_id, s.time, s.program, s.action, s.detail
FROM store_action s
WHERE s.from_id BETWEEN $2 AND $3 AND s.from_id IN (SELECT unnest($1::BIGINT[]))
UNION ALL
SELECT n.id, NULL, f.id, n.time, n.program, n.action, n.detail
FROM delivery_from f JOIN neighbour n
    ON n.queue_id = f.queue_id AND (n.message_id IS NULL OR f.message_id IS NULL OR n.message_id = f.message_id)
WHERE f.id BETWEEN $2 AND $3 AND f.id IN (SELECT unnest($1::BIGINT[]))
    AND n.time BETWEEN f.time - INTERVAL 1 MINUTE AND f.updated + INTERVAL 10 MINUTE
    AND (n.program <> 'postsuper' OR n.host = f.host AND n.time BETWEEN f.time AND f.updated)
UNION ALL
SELECT n.id, NULL, f.id, n.time, n.program, n.action, n.detail
FROM delivery_from f JOIN neighbour n ON n.message_id = f.message_id
WHERE f.id BETWEEN $2 AND $3 AND f.id IN (SELECT unnest($1::BIGINT[])) AND f.parent_id IS NULL
    AND n.queue_id IS NULL AND n.program IN ('rspamd', 'amavis', 'spamd')
    AND n.time BETWEEN f.time - INTERVAL 1 MINUTE AND f.updated + INTERVAL 10 MINUTE
ORDER BY 4, 1, 2";

/// Who acted upon queued messages with the ids `$1` from `$2` until `$3`, as `maillog queue` noted it.
pub const ACTIONS: &str = "\
SELECT a.time, a.who, split_part(split_part(a.what, ' ', 2), ':', 1) AS action, q.queue_id
FROM (
    SELECT time, who, what, split_part(split_part(what, '; mails ', 2), '; ', 1) AS ids
    FROM audit
    WHERE time BETWEEN $2 AND $3 AND starts_with(what, 'queue ')
) a, (SELECT unnest($1::VARCHAR[]) AS queue_id) q
WHERE contains(' ' || a.ids || ' ', ' ' || q.queue_id || ' ')
ORDER BY a.time, q.queue_id";

/// Times and messages of recipients, and with them the bounds of what [`STORE`] looks through.
pub const STORE_BOUNDS: &str = "\
SELECT min(t.from_id), max(t.from_id), min(t.first_time) - INTERVAL 1 DAY, max(t.time) + INTERVAL 1 DAY
FROM delivery_to t
WHERE t.id BETWEEN $2 AND $3 AND t.id IN (SELECT unnest($1::BIGINT[]))";

/// What mail stores did, in words, by recipient; `$4` to `$7` are the bounds, without which all messages and statements are joined.
pub const STORE: &str = "\
SELECT to_id, string_agg(DISTINCT words, '; ' ORDER BY words) AS store
FROM (
    SELECT s.to_id, s.program || ': ' || s.action || coalesce(' ' || s.detail, '') AS words
    FROM store_action s
    WHERE s.to_id BETWEEN $2 AND $3 AND s.to_id IN (SELECT unnest($1::BIGINT[]))
        AND s.from_id BETWEEN $4 AND $5 AND s.time BETWEEN $6 AND $7
)
GROUP BY to_id
ORDER BY to_id";

/// The log lines of the chains, as far as they are kept, with the message or the statement that each belongs to; `$4` the statements of other daemons about it, between `$5` and `$6`.
pub const LINES: &str = "\
SELECT line, from_id, neighbour_id
FROM (
    SELECT l.time, l.rowid AS place, l.line, l.from_id, NULL::BIGINT AS neighbour_id
    FROM log_line l
    WHERE l.from_id BETWEEN $2 AND $3 AND l.from_id IN (SELECT unnest($1::BIGINT[]))
    UNION ALL
    SELECT l.time, l.rowid, l.line, NULL, l.neighbour_id
    FROM log_line l
    WHERE l.neighbour_id BETWEEN $5 AND $6 AND l.neighbour_id IN (SELECT unnest($4::BIGINT[]))
)
ORDER BY time, place";

/// The log lines of refusals, and which one each belongs to.
pub const REFUSAL_LINES: &str = "\
SELECT l.line, l.noqueue_id FROM log_line l
WHERE l.noqueue_id BETWEEN $2 AND $3 AND l.noqueue_id IN (SELECT unnest($1::BIGINT[]))
ORDER BY l.time, l.rowid";
