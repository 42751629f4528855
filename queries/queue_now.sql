-- summary: the queue according to the log: one line for each recipient, newest first
-- group: queue
-- title: Current Mail Queue
-- param: at time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- According to the log: queue files that were seen and not removed. Recipients not tried until then are known from
-- later lines only; a message none of whose recipients is known counts as one, without a name.
WITH
    queued AS (
        SELECT id, host, instance, queue_id, time, status, sender, size, nrcpt
        FROM delivery_from
        WHERE time <= $at::TIMESTAMP
            AND (removed IS NULL OR removed > $at::TIMESTAMP)
            AND status NOT IN ('receiving', 'canceled', 'rejected')
            AND $host IN ('', host)
            AND $instance IN ('', instance)
    ),
    waiting AS (
        SELECT f.*, t.id AS to_id, t.recipient, t.attempts, t.reason, t.time AS last_time, t.first_time
        FROM queued f
        LEFT JOIN delivery_to t ON t.from_id = f.id
        WHERE t.id IS NULL
            OR t.time > $at::TIMESTAMP
            OR t.status IN ('deferred', 'SOFTBOUNCE', 'held', 'unknown')
    )
SELECT
    time,
    queue_id,
    host,
    size,
    CASE sender WHEN '' THEN '<>' ELSE sender END AS sender,
    recipient,
    CASE WHEN status = 'held' THEN 'held' WHEN first_time <= $at::TIMESTAMP THEN 'deferred' ELSE 'active' END AS state,
    CASE WHEN last_time <= $at::TIMESTAMP THEN left(reason, 160) END AS reason
FROM waiting
WHERE ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
ORDER BY time DESC, id DESC, recipient
LIMIT $top;
