-- summary: messages in the queue by host, instance and state, with their age
-- group: queue
-- param: at time now
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: messages
-- spark: age
--
-- According to the log: queue files that were seen and not removed. Recipients not tried until then are known from
-- later lines only; a message none of whose recipients is known counts as one, without a name.
-- Deferred: at least one recipient was tried in vain; active: none was tried yet. Age by the hour: under 1, 2, 4, 8, 16, 32,
-- 64 hours, and older.
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
    messages AS (
        SELECT
            id,
            host,
            instance,
            CASE
                WHEN status = 'held' THEN 'held'
                WHEN count(*) FILTER (WHERE first_time <= $at::TIMESTAMP) > 0 THEN 'deferred'
                ELSE 'active'
            END AS state,
            any_value(size) AS size,
            count(*) AS recipients,
            epoch($at::TIMESTAMP - any_value(time)) / 3600 AS hours
        FROM waiting
        WHERE ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
        GROUP BY id, host, instance, status
    )
SELECT
    host,
    instance,
    state,
    count(*) AS messages,
    sum(recipients)::BIGINT AS recipients,
    coalesce(sum(size), 0)::BIGINT AS bytes,
    round(max(hours), 1) AS oldest_hours,
    [
        count(*) FILTER (WHERE hours < 1),
        count(*) FILTER (WHERE hours >= 1 AND hours < 2),
        count(*) FILTER (WHERE hours >= 2 AND hours < 4),
        count(*) FILTER (WHERE hours >= 4 AND hours < 8),
        count(*) FILTER (WHERE hours >= 8 AND hours < 16),
        count(*) FILTER (WHERE hours >= 16 AND hours < 32),
        count(*) FILTER (WHERE hours >= 32 AND hours < 64),
        count(*) FILTER (WHERE hours >= 64)
    ] AS age
FROM messages
GROUP BY host, instance, state
ORDER BY messages DESC, host, instance, state;
