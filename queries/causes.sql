-- summary: why mail did not get through, by provider: cause, counts, an example
-- group: delivery
-- title: Why mail did not get through, by provider
-- param: since time -7d
-- param: until time now
-- param: top count 40
-- param: domain domain
-- param: host text
-- param: instance text
--
-- One count an attempt that failed, also of recipients that were delivered later. The provider is the organisation of the relay's
-- name (google.com, outlook.com); where nothing was reached it is the recipient's domain. The causes are explained in
-- maillog-query(7).
WITH failed AS (
    SELECT
        a.*,
        CASE
            WHEN ends_with(lower(a.relay_name), '.yahoodns.net') THEN 'yahoo.com'
            ELSE coalesce(
                nullif(regexp_extract(lower(a.relay_name), '[^.]+[.]((co|com|net|org|ac|gov|edu|or|ne|go)[.][a-z]{2}|[a-z][^.]*)\z'), ''),
                lower(a.relay_name),
                lower(split_part(t.recipient, '@', -1))
            )
        END AS provider
    FROM attempt a
    JOIN delivery_to t ON t.id = a.to_id
    WHERE a.time >= $since
        AND a.time < $until
        AND $host IN ('', t.host)
        AND $instance IN ('', t.instance)
        AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
        AND a.cause IS NOT NULL
)
SELECT
    provider,
    cause,
    dnsbl,
    count(*) AS attempts,
    count(DISTINCT to_id) AS recipients,
    max(time) AS last_time,
    left(arg_max(reason, time), 160) AS example
FROM failed
GROUP BY provider, cause, dnsbl
ORDER BY attempts DESC, recipients DESC, provider, cause, dnsbl
LIMIT $top;
