-- A message that waits is tried at least every 4,000 seconds (maximal_backoff_time); two days without a line are beyond all settings.
WITH last AS (
    SELECT host, instance, max(updated) AS last_time FROM delivery_from WHERE id > $1 AND $2 IS NOT NULL GROUP BY host, instance
)
SELECT f.time, f.host, f.queue_id, f.status AS what, f.updated
FROM delivery_from f
JOIN last USING (host, instance)
WHERE f.id > $1
    AND (f.status = 'lost' OR f.removed IS NULL AND f.status <> 'held')
    AND f.updated < last_time - INTERVAL 2 DAY
