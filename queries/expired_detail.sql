-- summary: what was returned after its time in the queue, by relay and last reason
-- group: delivery
-- title: message expired detail (by relay)
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- Addresses in the text are masked, so that one cause is one row; recipient is one example.
SELECT
    coalesce(relay_name, relay) AS relay,
    left(regexp_replace(reason, '<[^<> ]*@[^<> ]*>', '<...>', 'g'), 160) AS reason,
    count(*) AS recipients,
    min(recipient) AS recipient,
    max(attempts) AS attempts,
    max(time) AS last_time
FROM delivery_to
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(recipient), $domain))
    AND status = 'expired'
GROUP BY ALL
ORDER BY recipients DESC, last_time DESC, relay, reason
LIMIT $top;
