-- A message that is made by one line and is heard of no more; the beginning of a log ends some, and has their end.
WITH last AS (
    SELECT host, instance, max(updated) AS last_time FROM delivery_from WHERE id > $1 AND $2 IS NOT NULL GROUP BY host, instance
)
SELECT f.time, f.host, f.queue_id, f.origin AS what
FROM delivery_from f
JOIN last USING (host, instance)
LEFT JOIN delivery_to t ON t.from_id = f.id AND t.from_id > $1
WHERE f.id > $1
    AND t.id IS NULL
    AND f.removed IS NULL
    AND f.status <> 'held'
    AND f.updated - f.time < INTERVAL 1 SECOND
    AND f.updated < last_time - INTERVAL 5 SECOND
