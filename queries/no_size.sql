-- summary: messages with no size data: their beginning is not in the log
-- group: senders and recipients
-- title: Messages with no size data
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- The queue manager logs the size. Missing are those that were under way when the log began, or whose lines were lost.
SELECT
    f.time,
    f.queue_id,
    f.host,
    CASE f.sender WHEN '' THEN '<>' ELSE lower(f.sender) END AS sender,
    min(t.recipient) AS recipient,
    count(*) AS recipients,
    f.status
FROM delivery_from f
JOIN delivery_to t ON t.from_id = f.id
WHERE f.time >= $since
    AND f.time < $until
    AND $host IN ('', f.host)
    AND $instance IN ('', f.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND f.size IS NULL
    AND t.attempts > 0
GROUP BY f.id, f.time, f.queue_id, f.host, f.sender, f.status
ORDER BY f.time DESC, f.queue_id, f.host
LIMIT $top;
