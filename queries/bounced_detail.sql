-- summary: why recipients bounced, by relay and reason
-- group: delivery
-- title: message bounce detail (by relay)
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- Expired recipients are not in it: see expired_detail. Addresses in the text are masked, so that one cause is one row;
-- recipient is one example.
SELECT
    coalesce(relay_name, relay) AS relay,
    left(regexp_replace(reason, '<[^<> ]*@[^<> ]*>', '<...>', 'g'), 160) AS reason,
    count(*) AS recipients,
    min(recipient) AS recipient,
    max(time) AS last_time
FROM delivery_to
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(recipient), $domain))
    AND status = 'bounced'
GROUP BY ALL
ORDER BY recipients DESC, last_time DESC, relay, reason
LIMIT $top;
