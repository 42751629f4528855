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
-- Deliveries over SMTP whose TLS state came to none, by domain of the recipient, beside the encrypted ones and those of which
-- nothing is known. Postfix logs the state since 3.11 (tls=). Before, in_clear counts deliveries by agents that announce their TLS
-- connections (smtp_tls_loglevel = 1 or more) and announced none; without such lines nothing is known, and nothing is claimed.
WITH delivered AS (
    SELECT
        CASE WHEN contains(recipient, '@') THEN lower(split_part(recipient, '@', -1)) ELSE '' END AS domain,
        coalesce(relay_name, relay) AS relay,
        time,
        split_part(split_part(split_part(tls, '?', 1), '/', 1), ':', -1) AS state
    FROM delivery_to
    WHERE time >= $since
        AND time < $until
        AND $host IN ('', host)
        AND $instance IN ('', instance)
        AND ($domain = '' OR ends_with(lower(recipient), $domain))
        AND (tls IS NOT NULL OR relay_port IS NOT NULL)
        AND status = 'sent'
)
SELECT
    domain,
    count(*) FILTER (WHERE state = 'none') AS in_clear,
    count(*) FILTER (WHERE state <> 'none') AS encrypted,
    count(*) FILTER (WHERE state IS NULL) AS not_known,
    mode(relay ORDER BY relay) FILTER (WHERE state = 'none') AS usual_relay,
    max(time) FILTER (WHERE state = 'none') AS last_time
FROM delivered
GROUP BY domain
HAVING in_clear > 0
ORDER BY in_clear DESC, domain
LIMIT $top;
