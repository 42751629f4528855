-- summary: what has been waiting longest, with the last error
-- group: queue
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
    ),
    chosen AS (
        SELECT *
        FROM waiting
        WHERE ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
        ORDER BY time, id, recipient
        LIMIT $top
    ),
    tried AS (
        SELECT a.to_id, count(*) AS attempts, arg_max(a.reason, a.time) AS reason, max(a.time) AS last_time
        FROM chosen c
        JOIN attempt a ON a.to_id = c.to_id
        WHERE a.time <= $at::TIMESTAMP
        GROUP BY a.to_id
    )
SELECT
    round(epoch($at::TIMESTAMP - c.time) / 3600, 1) AS hours,
    c.queue_id,
    c.host,
    CASE c.sender WHEN '' THEN '<>' ELSE c.sender END AS sender,
    c.recipient,
    coalesce(t.attempts, 0) AS attempts,
    t.last_time,
    coalesce(left(t.reason, 160), c.status) AS reason
FROM chosen c
LEFT JOIN tried t ON t.to_id = c.to_id
ORDER BY c.time, c.id, c.recipient;
