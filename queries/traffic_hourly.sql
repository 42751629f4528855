-- summary: received, delivered, deferred, bounced, expired and rejected by the hour (UTC)
-- param: since time -1d
-- param: until time now
--
-- Counts as in totals: a mail that went through several queues counts once. Deferred counts attempts. Hours without
-- traffic have no row.
WITH
    happened AS (
        SELECT time, 'received' AS what, 1 AS number
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND root_id = id
            AND origin <> 'bounce'
            AND status NOT IN ('receiving', 'canceled', 'rejected')
        UNION ALL
        SELECT time, status, 1
        FROM delivery_to
        WHERE time >= $since
            AND time < $until
            AND status IN ('sent', 'bounced', 'expired')
        UNION ALL
        SELECT time, 'deferred', 1
        FROM attempt
        WHERE time >= $since
            AND time < $until
            AND dsn LIKE '4.%'
        UNION ALL
        SELECT time, 'rejected', count
        FROM noqueue
        WHERE time >= $since
            AND time < $until
    )
SELECT
    date_trunc('hour', time) AS hour,
    coalesce(sum(number) FILTER (WHERE what = 'received'), 0)::BIGINT AS received,
    coalesce(sum(number) FILTER (WHERE what = 'sent'), 0)::BIGINT AS delivered,
    coalesce(sum(number) FILTER (WHERE what = 'deferred'), 0)::BIGINT AS deferred,
    coalesce(sum(number) FILTER (WHERE what = 'bounced'), 0)::BIGINT AS bounced,
    coalesce(sum(number) FILTER (WHERE what = 'expired'), 0)::BIGINT AS expired,
    coalesce(sum(number) FILTER (WHERE what = 'rejected'), 0)::BIGINT AS rejected
FROM happened
GROUP BY hour
ORDER BY hour;
