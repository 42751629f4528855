-- summary: sender domains by number of messages, with recipients and bytes
-- group: traffic
-- title: Host/Domain Summary: Messages Received
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: messages
--
-- Messages are counted at their first queue; notices of Postfix itself are not in it. <> is the null sender, an empty domain
-- a sender without one.
SELECT
    CASE WHEN sender = '' THEN '<>' ELSE CASE WHEN contains(sender, '@') THEN lower(split_part(sender, '@', -1)) ELSE '' END END AS domain,
    count(*) AS messages,
    count(DISTINCT lower(sender)) AS senders,
    coalesce(sum(nrcpt), 0)::BIGINT AS recipients,
    coalesce(sum(size), 0)::BIGINT AS bytes
FROM delivery_from
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(sender), $domain))
    AND root_id = id
    AND origin <> 'bounce'
    AND status NOT IN ('receiving', 'canceled', 'rejected')
    AND sender IS NOT NULL
GROUP BY domain
ORDER BY messages DESC, bytes DESC, domain
LIMIT $top;
