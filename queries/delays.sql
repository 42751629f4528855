-- summary: how long deliveries took: percentiles of the total and its four stages
-- group: delivery
-- title: Delays by stage: percentiles in seconds
-- param: since time -7d
-- param: until time now
-- param: domain domain
-- param: host text
-- param: instance text
-- spark: spread
--
-- Seconds, of deliveries that succeeded. Stages: before the queue manager (receiving, and waiting since the first failure),
-- in the queue manager, connecting (with DNS, EHLO and TLS), sending. Spread: how many took up to 0.1, 1, 10, 60, 600, 3600
-- seconds, and longer.
WITH
    delivered AS (
        SELECT
            delay,
            delay_before_qmgr,
            delay_in_qmgr,
            delay_conn_setup,
            delay_transmission
        FROM delivery_to
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND ($domain = '' OR ends_with(lower(recipient), $domain))
            AND status = 'sent'
    ),
    stages AS (
        SELECT 1 AS n, 'total' AS stage, delay AS seconds
        FROM delivered
        UNION ALL
        SELECT 2 AS n, 'before the queue manager' AS stage, delay_before_qmgr AS seconds
        FROM delivered
        UNION ALL
        SELECT 3 AS n, 'in the queue manager' AS stage, delay_in_qmgr AS seconds
        FROM delivered
        UNION ALL
        SELECT 4 AS n, 'connecting' AS stage, delay_conn_setup AS seconds
        FROM delivered
        UNION ALL
        SELECT 5 AS n, 'sending' AS stage, delay_transmission AS seconds
        FROM delivered
    )
SELECT
    stage,
    deliveries,
    round(percentiles[1], 2) AS p0,
    round(percentiles[2], 2) AS p25,
    round(percentiles[3], 2) AS p50,
    round(percentiles[4], 2) AS p75,
    round(percentiles[5], 2) AS p90,
    round(percentiles[6], 2) AS p95,
    round(percentiles[7], 2) AS p98,
    round(percentiles[8], 2) AS p100,
    spread
FROM (
    SELECT
        n,
        stage,
        count(seconds) AS deliveries,
        quantile_cont(seconds, [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 1]) AS percentiles,
        [
            count(*) FILTER (WHERE seconds <= 0.1),
            count(*) FILTER (WHERE seconds > 0.1 AND seconds <= 1),
            count(*) FILTER (WHERE seconds > 1 AND seconds <= 10),
            count(*) FILTER (WHERE seconds > 10 AND seconds <= 60),
            count(*) FILTER (WHERE seconds > 60 AND seconds <= 600),
            count(*) FILTER (WHERE seconds > 600 AND seconds <= 3600),
            count(*) FILTER (WHERE seconds > 3600)
        ] AS spread
    FROM stages
    WHERE seconds IS NOT NULL
    GROUP BY n, stage
)
ORDER BY n;
