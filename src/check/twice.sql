-- A recipient is not tried again within the second.
WITH attempts AS (
    SELECT a.to_id, a.time, a.status, a.dsn
    FROM delivery_attempt a
    WHERE a.from_id > $1 AND $2 IS NOT NULL
    UNION ALL
    SELECT t.id, t.time, t.status, t.dsn
    FROM delivery_to t
    WHERE t.from_id > $1 AND t.attempts > 1
),
repeated AS (
    SELECT to_id, date_trunc('second', time) AS second, status, count(*) - 1 AS times
    FROM attempts
    GROUP BY to_id, second, status
    HAVING count(*) > 1
)
SELECT r.second AS time, t.host, t.queue_id, t.recipient AS what, r.status, r.times
FROM repeated r
JOIN delivery_to t ON t.id = r.to_id
WHERE t.from_id > $1
