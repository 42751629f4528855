-- summary: TLS levels of deliveries, by relay
-- group: encryption
-- title: SMTP TLS Levels (by relay)
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: attempts
--
-- Postfix logs the TLS state of a delivery since 3.11 (tls=); deliveries of older versions are not in it.
-- Level: what was asked for, and behind a colon what it came to: may:none is a delivery in the clear.
SELECT
    a.tls AS level,
    coalesce(a.relay_name, a.relay) AS relay,
    count(*) AS attempts,
    count(*) FILTER (WHERE a.status = 'sent') AS delivered,
    max(a.time) AS last_time
FROM attempt a
JOIN delivery_to t ON t.id = a.to_id
WHERE a.time >= $since
    AND a.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND a.tls IS NOT NULL
GROUP BY ALL
ORDER BY attempts DESC, level, relay
LIMIT $top;
