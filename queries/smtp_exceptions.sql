-- summary: deliveries that failed without an answer: connections, time-outs, DNS
-- group: delivery
-- title: SMTP Exceptions
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- Attempts of smtp and lmtp that no reply of a server explains. Host names and addresses in the text stay.
SELECT
    left(regexp_replace(a.reason, '<[^<> ]*@[^<> ]*>', '<...>', 'g'), 160) AS reason,
    count(*) AS attempts,
    count(DISTINCT a.to_id) AS recipients,
    min(t.recipient) AS recipient,
    max(a.time) AS last_time
FROM attempt a
JOIN delivery_to t ON t.id = a.to_id
WHERE a.time >= $since
    AND a.time < $until
    AND $host IN ('', t.host)
    AND $instance IN ('', t.instance)
    AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
    AND split_part(a.agent, '/', -1) IN ('smtp', 'lmtp')
    AND a.reply_code IS NULL
    AND a.dsn NOT LIKE '2.%'
GROUP BY ALL
ORDER BY attempts DESC, last_time DESC, 1
LIMIT $top;
