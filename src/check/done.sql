-- The queue manager removes a message at once when its last recipient is done.
WITH last AS (
    SELECT host, instance, max(updated) AS last_time FROM delivery_from WHERE id > $1 AND $2 IS NOT NULL GROUP BY host, instance
),
waiting AS (
    SELECT f.id, f.time, f.host, f.queue_id, f.status, f.updated, f.nrcpt
    FROM delivery_from f
    JOIN last USING (host, instance)
    WHERE f.id > $1 AND f.removed IS NULL AND f.status <> 'held' AND f.updated < last_time - INTERVAL 5 SECOND
)
SELECT w.time, w.host, w.queue_id, any_value(w.status) AS what, any_value(w.updated) AS updated
FROM waiting w
JOIN delivery_to t ON t.from_id = w.id
WHERE t.from_id > $1
GROUP BY w.id, w.time, w.host, w.queue_id, w.nrcpt
HAVING count(*) >= w.nrcpt
    AND bool_and(t.attempts > 0 AND t.status NOT IN ('deferred', 'SOFTBOUNCE', 'held'))
