-- A queue id is not given again within a minute, and not on another host with the same Message-ID.
WITH again AS (
    SELECT queue_id
    FROM delivery_from
    WHERE id > $1 AND $2 IS NOT NULL AND queue_id <> ''
    GROUP BY queue_id
    HAVING count(*) > 1
)
SELECT min(time) AS time, min(host) AS host, queue_id, string_agg(DISTINCT host, ' ' ORDER BY host) AS what, count(*) - 1 AS times
FROM delivery_from
JOIN again USING (queue_id)
WHERE id > $1
GROUP BY queue_id
HAVING max(time) - min(time) < INTERVAL 1 MINUTE
    AND count(DISTINCT message_id) < 2
