//! Story: the statements that fetch all of one chain of messages, for `render::story`.
//!
//! A chain is the messages of one root and the notices about any of them. Each statement takes the root's id as `$1`.

/// Messages of the chain, oldest first.
pub const MESSAGES: &str = "\
SELECT
    id, host, instance, queue_id, time, updated, removed, service, client_name, client_address, helo_name,
    protocol_name, sasl_username, orig_client, sender, message_id, subject, size, nrcpt, uid, tls, origin,
    parent_id, parent_link, root_id, status, reason, log_incomplete
FROM delivery_from
WHERE root_id = $1 OR parent_id IN (SELECT id FROM delivery_from WHERE root_id = $1)
ORDER BY time, id";

/// Recipients of these messages in the state of their last attempt.
pub const RECIPIENTS: &str = "\
SELECT
    t.id, t.from_id, t.queue_id, t.recipient, t.orig_to, t.time, t.first_time, t.attempts, t.agent, t.relay, t.delay,
    t.delay_before_qmgr, t.delay_in_qmgr, t.delay_conn_setup, t.delay_transmission, t.tls, t.dsn, t.status,
    t.reply_code, t.reason, t.remote_queue_id
FROM delivery_to t
WHERE t.from_id IN (
    SELECT id FROM delivery_from
    WHERE root_id = $1 OR parent_id IN (SELECT id FROM delivery_from WHERE root_id = $1)
)
ORDER BY t.time, t.id";

/// Earlier attempts of these recipients.
pub const ATTEMPTS: &str = "\
SELECT
    a.id, a.to_id, a.from_id, a.time, a.agent, a.relay, a.delay, a.tls, a.dsn, a.status, a.reply_code, a.reason,
    a.remote_queue_id
FROM delivery_attempt a
WHERE a.from_id IN (
    SELECT id FROM delivery_from
    WHERE root_id = $1 OR parent_id IN (SELECT id FROM delivery_from WHERE root_id = $1)
)
ORDER BY a.time, a.id";
