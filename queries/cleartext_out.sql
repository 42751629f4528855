-- summary: destinations that got mail unencrypted
-- group: encryption
-- param: since time -7d
-- param: until time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: in_clear
--
-- Postfix logs the TLS state of a delivery since 3.11 (tls=); deliveries of older versions are not in it.
-- Deliveries over SMTP whose TLS state came to none, by domain of the recipient, beside the encrypted ones.
SELECT
    CASE WHEN contains(recipient, '@') THEN lower(split_part(recipient, '@', -1)) ELSE '' END AS domain,
    count(*) FILTER (WHERE (split_part(split_part(split_part(tls, '?', 1), '/', 1), ':', -1) = 'none')) AS in_clear,
    count(*) FILTER (WHERE NOT (split_part(split_part(split_part(tls, '?', 1), '/', 1), ':', -1) = 'none')) AS encrypted,
    mode(coalesce(relay_name, relay) ORDER BY coalesce(relay_name, relay)) FILTER (WHERE (split_part(split_part(split_part(tls, '?', 1), '/', 1), ':', -1) = 'none')) AS usual_relay,
    max(time) FILTER (WHERE (split_part(split_part(split_part(tls, '?', 1), '/', 1), ':', -1) = 'none')) AS last_time
FROM delivery_to
WHERE time >= $since
    AND time < $until
    AND $host IN ('', host)
    AND $instance IN ('', instance)
    AND ($domain = '' OR ends_with(lower(recipient), $domain))
    AND tls IS NOT NULL
    AND status = 'sent'
GROUP BY domain
HAVING in_clear > 0
ORDER BY in_clear DESC, domain
LIMIT $top;
