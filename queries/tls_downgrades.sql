-- summary: deliveries with less TLS than asked for: DANE, policy, REQUIRETLS
-- group: encryption
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: attempts
--
-- Postfix logs what was asked for since 3.11 (tls=); deliveries of older versions are not in it.
-- A colon in the state: downgraded to what follows; a leading !: the policy was violated and the connection not used. May that
-- came to none is no downgrade: see cleartext_out.
SELECT
    a.tls,
    coalesce(a.relay_name, a.relay) AS relay,
    CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END AS domain,
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
    AND (contains(a.tls, ':') OR starts_with(a.tls, '!'))
    AND NOT contains(a.tls, ' ')
    AND a.tls NOT LIKE 'may:none%'
GROUP BY ALL
ORDER BY attempts DESC, a.tls, relay, domain
LIMIT $top;
