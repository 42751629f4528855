-- summary: bounces to people who sent nothing: null-sender mail by recipient
-- group: refused
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- param: least count 3 -- Only recipients with at least this many
-- bar: bounces
--
-- Mail and refusals with the null sender that came from outside, beside what the address sent in the same time. Many bounces
-- and little sent: somebody forges the address.
WITH
    bounces AS (
        SELECT lower(coalesce(t.orig_to, t.recipient)) AS recipient, 1 AS accepted, 0 AS refused, f.client_address, f.time
        FROM delivery_from f
        JOIN delivery_to t ON t.from_id = f.id
        WHERE f.time >= $since
            AND f.time < $until
            AND $host IN ('', f.host)
            AND $instance IN ('', f.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
            AND f.sender = ''
            AND f.origin = 'smtpd'
        UNION ALL
        SELECT lower(recipient), 0, count, client_address, time
        FROM noqueue
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(recipient), $domain))
            AND sender = ''
            AND recipient IS NOT NULL
    ),
    sent AS (
        SELECT lower(sender) AS sender, count(*) AS messages
        FROM delivery_from
        WHERE time >= $since
            AND time < $until
            AND root_id = id
            AND sender <> ''
        GROUP BY ALL
    )
SELECT
    b.recipient,
    sum(b.accepted + b.refused)::BIGINT AS bounces,
    sum(b.accepted)::BIGINT AS accepted,
    sum(b.refused)::BIGINT AS refused,
    count(DISTINCT b.client_address) AS clients,
    coalesce(any_value(s.messages), 0) AS sent,
    max(b.time) AS last_time
FROM bounces b
LEFT JOIN sent s ON s.sender = b.recipient
GROUP BY b.recipient
HAVING sum(b.accepted + b.refused) >= $least
ORDER BY bounces DESC, last_time DESC, b.recipient
LIMIT $top;
