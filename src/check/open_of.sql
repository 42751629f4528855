WITH last AS (
    SELECT host, instance, max(updated) AS last_time FROM delivery_from WHERE id > $1 AND $2 IS NOT NULL GROUP BY host, instance
)
SELECT count(*)
FROM delivery_from f
JOIN last USING (host, instance)
WHERE f.id > $1 AND f.time < last_time - INTERVAL 2 DAY
