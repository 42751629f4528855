-- summary: TLS of deliveries, by relay
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
-- Postfix logs the TLS state of a delivery since 3.11 (tls=). Level: what was asked for, and behind a colon what it came to:
-- may:none is a delivery in the clear.
-- Before 3.11 it is what the process said of its connection (smtp_tls_loglevel = 1 or more): the level is then how the server's
-- certificate was judged, or none where silence proves it.
-- The line without a relay: mail that was taken over a connection of which nothing is known (smtp_tls_loglevel = 0, or no proof).
WITH known AS (
    SELECT
        CASE
            WHEN contains(a.tls, ' ') THEN lower(split_part(a.tls, ' ', 3))
            ELSE coalesce(a.tls, 'not known')
        END AS level,
        CASE WHEN contains(a.tls, ' ') THEN split_part(a.tls, ' ', 1) END AS version,
        CASE WHEN a.tls IS NOT NULL THEN coalesce(a.relay_name, a.relay) END AS relay,
        a.status,
        a.time
    FROM attempt a
    JOIN delivery_to t ON t.id = a.to_id
    WHERE a.time >= $since
        AND a.time < $until
        AND $host IN ('', t.host)
        AND $instance IN ('', t.instance)
        AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
        AND (a.tls IS NOT NULL OR (a.relay_port IS NOT NULL AND a.reply_code BETWEEN 200 AND 299))
)
SELECT
    level,
    version,
    relay,
    count(*) AS attempts,
    count(*) FILTER (WHERE status = 'sent') AS delivered,
    max(time) AS last_time
FROM known
GROUP BY ALL
ORDER BY attempts DESC, level, version, relay
LIMIT $top;
