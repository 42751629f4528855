-- summary: recipient domains by number of deferrals
-- group: delivery
-- title: Most deferred domains
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: deferrals
--
-- Handing a mail over to a content filter, another instance or host of ours is no delivery; a deferral at any queue is
-- one. Delays are those of the last queue, in seconds: since the mail entered it; the average is over deliveries, the
-- maximum over all attempts. Recipients without a domain are in the row with an empty one.
SELECT
    CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END AS domain,
    count(*) FILTER (WHERE a.status = 'sent') AS delivered,
    coalesce(sum(f.size) FILTER (WHERE a.status = 'sent'), 0)::BIGINT AS bytes,
    count(*) FILTER (WHERE a.dsn LIKE '4.%') AS deferrals,
    count(*) FILTER (WHERE a.status = 'bounced') AS bounced,
    round(avg(a.delay) FILTER (WHERE a.status = 'sent'), 1) AS average_delay,
    max(a.delay) AS longest_delay
FROM attempt a
JOIN delivery_to t ON t.id = a.to_id
JOIN delivery_from f ON f.id = a.from_id
WHERE a.time >= $since
    AND a.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND a.status NOT IN ('filtered', 'relayed', 'forwarded')
GROUP BY domain
HAVING count(*) FILTER (WHERE a.dsn LIKE '4.%') > 0
ORDER BY deferrals DESC, bounced DESC, domain
LIMIT $top;
