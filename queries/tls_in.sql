-- summary: incoming mail by TLS version and cipher, with what came in the clear
-- group: encryption
-- title: SMTPD TLS levels: incoming mail
-- param: since time -7d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: messages
--
-- Messages taken by smtpd at their first queue. An empty version: no TLS, or Postfix does not log it (smtpd_tls_loglevel = 0).
SELECT
    coalesce(split_part(tls, ' ', 1), '') AS version,
    coalesce(split_part(tls, ' ', 2), '') AS cipher,
    count(*) AS messages,
    round(100.0 * count(*) / sum(count(*)) OVER (), 1) AS percent,
    count(DISTINCT client_address) AS clients,
    count(*) FILTER (WHERE sasl_username IS NOT NULL) AS with_login,
    max(time) AS last_time
FROM delivery_from
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(sender), $domain))
    AND origin = 'smtpd'
    AND root_id = id
    AND status NOT IN ('receiving', 'canceled', 'rejected')
GROUP BY ALL
ORDER BY messages DESC, version, cipher;
