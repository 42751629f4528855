-- summary: what was refused, by stage and reason
-- group: refused
-- title: message reject detail
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
--
-- Refusals of smtpd and postscreen, of header and body checks, milters and before-queue filters. Addresses (mail and IP)
-- in the text are masked, so that one rule is one row; client_address is one example.
SELECT
    protocol_state,
    rule,
    left(regexp_replace(reason, '<[^<> ]*>|\[[0-9A-Fa-f.:]+\]', '<...>', 'g'), 160) AS reason,
    sum(count)::BIGINT AS refusals,
    count(DISTINCT client_address) AS clients,
    min(client_address) AS client_address,
    max(time) AS last_time
FROM noqueue
WHERE action NOT IN ('non-SMTP command', 'Refusing STARTTLS request')
    AND time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
GROUP BY ALL
ORDER BY refusals DESC, last_time DESC, protocol_state, rule, reason
LIMIT $top;
