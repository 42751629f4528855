-- The same Message-ID, sender and recipient, delivered twice within a minute, in messages of which neither comes from the other.
WITH shared AS (
    SELECT message_id
    FROM delivery_from
    WHERE id > $1 AND $2 IS NOT NULL AND message_id <> ''
    GROUP BY message_id
    HAVING min(root_id) < max(root_id)
)
SELECT
    min(t.time) AS time, min(f.host) AS host, string_agg(DISTINCT f.queue_id, ' ' ORDER BY f.queue_id) AS queue_id, lower(t.recipient) AS what,
    count(DISTINCT f.root_id) - 1 AS times
FROM shared s
JOIN delivery_from f ON f.message_id = s.message_id
JOIN delivery_to t ON t.from_id = f.id
WHERE f.id > $1 AND t.from_id > $1 AND t.status = 'sent'
GROUP BY f.message_id, lower(f.sender), lower(t.recipient)
HAVING min(f.root_id) < max(f.root_id) AND max(t.time) - min(t.time) < INTERVAL 1 MINUTE
