-- summary: why recipients bounced, by relay and reason
-- param: since time -7d
-- param: until time now
-- param: top count 20
--
-- Expired recipients are not in it: see deferred_detail. Addresses in the text are masked, so that one cause is one row;
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
    AND status = 'bounced'
GROUP BY ALL
ORDER BY recipients DESC, last_time DESC, relay, reason
LIMIT $top;
