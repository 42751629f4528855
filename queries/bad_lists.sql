-- summary: senders whose recipients are often unknown: bad lists, or a stolen account
-- group: refused
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- param: least count 10 -- Only senders with at least this many recipients
-- param: share number 10 -- Unknown recipients of this share, in percent
-- bar: unknown
--
-- Of mail that our users or hosts sent: recipients that bounced with a status that says there is no such address (5.1.x). The
-- sender is the login where there was one, else the envelope sender.
SELECT
    coalesce(r.sasl_username, CASE r.sender WHEN '' THEN '<>' ELSE lower(r.sender) END) AS sender,
    count(*) AS recipients,
    count(*) FILTER (WHERE t.dsn LIKE '5.1.%') AS unknown,
    round(100.0 * count(*) FILTER (WHERE t.dsn LIKE '5.1.%') / count(*), 1) AS percent,
    count(DISTINCT r.id) AS messages,
    mode(CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END
        ORDER BY CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END) FILTER (WHERE t.dsn LIKE '5.1.%') AS domain,
    max(t.time) AS last_time
FROM delivery_to t
JOIN delivery_from f ON f.id = t.from_id
JOIN delivery_from r ON r.id = f.root_id
WHERE t.time >= $since
    AND t.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(r.sender), $domain))
    AND t.status IN ('sent', 'bounced', 'expired')
    AND r.origin <> 'bounce'
    AND r.sender <> ''
GROUP BY ALL
HAVING count(*) >= $least
    AND percent >= $share
ORDER BY unknown DESC, percent DESC, sender
LIMIT $top;
