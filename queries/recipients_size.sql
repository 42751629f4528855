-- summary: recipients by bytes delivered
-- group: senders and recipients
-- title: Recipients by message size
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: bytes
--
-- The address after aliases, at the queue that decided: handing over to a content filter, another instance or host of
-- ours is no delivery.
SELECT
    lower(t.recipient) AS recipient,
    count(*) AS messages,
    coalesce(sum(f.size), 0)::BIGINT AS bytes
FROM delivery_to t
JOIN delivery_from f ON f.id = t.from_id
WHERE t.time >= $since
    AND t.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND t.status = 'sent'
GROUP BY ALL
ORDER BY bytes DESC, messages DESC, recipient
LIMIT $top;
