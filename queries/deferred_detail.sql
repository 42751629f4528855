-- summary: why deliveries were deferred, by program, relay and reason
-- group: delivery
-- title: message deferral detail
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- One count an attempt, also of recipients that were delivered, bounced or expired later. Addresses in the text are
-- masked, so that one cause is one row.
SELECT
    a.agent,
    a.relay_name,
    left(regexp_replace(a.reason, '<[^<> ]*@[^<> ]*>', '<...>', 'g'), 160) AS reason,
    count(*) AS attempts,
    count(DISTINCT a.to_id) AS recipients,
    max(a.time) AS last_time
FROM attempt a
JOIN delivery_to t ON t.id = a.to_id
WHERE a.time >= $since
    AND a.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND a.dsn LIKE '4.%'
GROUP BY ALL
ORDER BY attempts DESC, last_time DESC, a.agent, a.relay_name, reason
LIMIT $top;
