-- summary: refusals by class of the rule
-- group: refused
-- title: Refusals by class of the rule
-- param: since time -7d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: refusals
--
-- Classes: relay, unknown_user, dnsbl, greylist, helo, sender, unknown_sender, recipient, client, unknown_client, spf, auth,
-- tls, size, storage, rate, protocol, bare_lf, header, body, mime, content, milter, proxy, config, lookup, policy; none is for
-- clients turned away without a reject line.
SELECT
    coalesce(rule, 'none') AS rule,
    sum(count)::BIGINT AS refusals,
    round(100.0 * sum(count) / sum(sum(count)) OVER (), 1) AS percent,
    count(DISTINCT client_address) AS clients,
    count(DISTINCT lower(recipient)) AS recipients,
    coalesce(sum(count) FILTER (WHERE reply_code BETWEEN 400 AND 499), 0)::BIGINT AS temporary,
    max(time) AS last_time
FROM noqueue
WHERE action NOT IN ('non-SMTP command', 'Refusing STARTTLS request')
    AND time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
GROUP BY ALL
ORDER BY refusals DESC, last_time DESC, rule;
