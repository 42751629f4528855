-- summary: destinations that got worse: failures and delays beside those of the days before
-- group: delivery
-- param: at time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- param: days count 7 -- Compare so many days with as many before
-- param: least count 5 -- Only domains with at least this many attempts lately
-- bar: grown
--
-- Shares are percent of all attempts to the domain that were put off or bounced. Delay: of half of the deliveries, in
-- seconds. Sorted by how much the share grew, then by how much the delay did; what did not get worse is left out.
WITH
    tried AS (
        SELECT
            CASE WHEN contains(t.recipient, '@') THEN lower(split_part(t.recipient, '@', -1)) ELSE '' END AS domain,
            a.time >= $at::TIMESTAMP - to_days($days::INTEGER) AS is_late,
            count(*) AS attempts,
            count(*) FILTER (WHERE a.dsn LIKE '4.%' OR a.status IN ('bounced', 'expired')) AS failures,
            quantile_cont(a.delay, 0.5) FILTER (WHERE a.status = 'sent') AS delay
        FROM attempt a
        JOIN delivery_to t ON t.id = a.to_id
        WHERE a.time >= $at::TIMESTAMP - to_days(2 * $days::INTEGER)
            AND a.time < $at::TIMESTAMP
            AND $host IN ('', t.host)
            AND $instance IN ('', t.instance)
            AND ($domain = '' OR ends_with(lower(t.recipient), $domain))
            AND a.status NOT IN ('filtered', 'relayed', 'forwarded')
        GROUP BY ALL
    ),
    compared AS (
        SELECT
            l.domain,
            l.attempts,
            100.0 * l.failures / l.attempts AS failed,
            e.attempts AS attempts_before,
            100.0 * e.failures / e.attempts AS failed_before,
            l.delay,
            e.delay AS delay_before
        FROM tried l
        JOIN tried e ON e.domain = l.domain AND NOT e.is_late
        WHERE l.is_late
            AND l.attempts >= $least
    )
SELECT
    domain,
    attempts,
    round(failed, 1) AS failed,
    attempts_before,
    round(failed_before, 1) AS failed_before,
    round(failed - failed_before, 1) AS grown,
    round(delay, 2) AS delay,
    round(delay_before, 2) AS delay_before
FROM compared
WHERE failed > failed_before
    OR delay > 2 * greatest(delay_before, 1)
ORDER BY grown DESC, delay / greatest(delay_before, 1) DESC NULLS LAST, domain
LIMIT $top;
