//! Logged: statements that count like pflogsumm: each hop is a mail, each delivery line a recipient.
//!
//! Ours count a mail once, however many queues it went through. For the other way of counting the tables get other rows under their
//! names in front of the statement: every queue file is its own first one, every attempt is a recipient with the status that its line
//! has. What pflogsumm overlooks is left out, too: services whose labels it does not know, senders without a size, soft bounces.

/// The tables as pflogsumm sees them. `delivery_to` has an id of its own for each line, `attempt` the same ids.
const TABLES: &str = "\
delivery_from AS (
    SELECT * REPLACE (
        id AS root_id,
        CASE WHEN size IS NOT NULL THEN sender END AS sender,
        CASE WHEN origin = 'bounce' THEN 'bounce' WHEN service IN ('smtpd', 'smtps/smtpd', 'submission/smtpd', 'postscreen', 'pickup') THEN 'smtpd' ELSE 'bounce' END AS origin,
        CASE WHEN status IN ('receiving', 'canceled', 'rejected') THEN 'done' ELSE status END AS status
    )
    FROM delivery_from
),
logged AS (
    SELECT id AS to_id, attempts > 0 AS is_line, id * 2 AS line_id, from_id, host, instance, queue_id, recipient, orig_to, time, agent, relay, relay_name, relay_port,
        delay, delay_before_qmgr, delay_in_qmgr, delay_conn_setup, delay_transmission, tls, dsn, status, reply_code, reason, cause, dnsbl
    FROM delivery_to
    UNION ALL
    SELECT a.to_id, true, a.id * 2 + 1, a.from_id, t.host, t.instance, t.queue_id, t.recipient, t.orig_to, a.time, a.agent, a.relay, a.relay_name, a.relay_port,
        a.delay, a.delay_before_qmgr, a.delay_in_qmgr, a.delay_conn_setup, a.delay_transmission, a.tls, a.dsn, a.status, a.reply_code, a.reason, a.cause, a.dnsbl
    FROM delivery_attempt a
    JOIN delivery_to t ON t.id = a.to_id
),
delivery_to AS (
    SELECT line_id AS id, time AS first_time, 1 AS attempts, * EXCLUDE (to_id, is_line, line_id, status, dsn),
        CASE WHEN is_line AND status <> 'SOFTBOUNCE' THEN dsn END AS dsn,
        CASE WHEN status = 'forwarded' THEN status WHEN dsn LIKE '2.%' THEN 'sent' ELSE status END AS status
    FROM logged
    WHERE is_line OR status NOT IN ('sent', 'deferred', 'bounced')
),
attempt AS (
    SELECT id AS to_id, true AS is_last, * EXCLUDE (id, host, instance, queue_id, recipient, orig_to, first_time, attempts)
    FROM delivery_to
),
noqueue AS (
    SELECT * FROM noqueue
    WHERE action = 'reject' OR (action = 'milter-reject' AND service = 'cleanup' AND protocol_state = 'END-OF-MESSAGE')
)";

/// Returns the statement with these tables.
#[must_use]
pub(super) fn of(sql: &str) -> String {
    match sql.strip_prefix("WITH") {
        Some(rest) => format!("WITH\n{TABLES},{rest}"),
        None => format!("WITH\n{TABLES}\n{sql}"),
    }
}
