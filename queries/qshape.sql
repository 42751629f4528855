-- summary: age of the queue by recipient domain, in minutes, now or at any past moment
-- group: queue
-- title: Age of the queue, in minutes
-- param: at time now
-- param: top count 20
-- param: domain domain
-- param: host text
-- param: instance text
-- bar: total
--
-- According to the log: queue files that were seen and not removed. Recipients not tried until then are known from
-- later lines only; a message none of whose recipients is known counts as one, without a name.
-- The columns are those of qshape(1): recipients that waited less than 5 minutes, 5 to 10, ..., 1280 and more. The first row is
-- the sum of all domains.
WITH
    queued AS (
        SELECT id, host, instance, queue_id, time, status, sender, size, nrcpt
        FROM delivery_from
        WHERE time <= $at::TIMESTAMP
            AND (removed IS NULL OR removed > $at::TIMESTAMP)
            AND status NOT IN ('receiving', 'canceled', 'rejected')
            AND $host IN ('', host)
            AND $instance IN ('', instance)
    ),
    waiting AS (
        SELECT f.*, t.id AS to_id, t.recipient, t.attempts, t.reason, t.time AS last_time, t.first_time
        FROM queued f
        LEFT JOIN delivery_to t ON t.from_id = f.id
        WHERE t.id IS NULL
            OR t.time > $at::TIMESTAMP
            OR t.status IN ('deferred', 'SOFTBOUNCE', 'held', 'unknown')
    ),
    aged AS (
        SELECT
            CASE WHEN recipient IS NULL THEN '(not tried yet)' ELSE CASE WHEN contains(recipient, '@') THEN lower(split_part(recipient, '@', -1)) ELSE '' END END AS domain,
            epoch($at::TIMESTAMP - time) / 60 AS minutes
        FROM waiting
        WHERE ($domain = '' OR ends_with(lower(coalesce(recipient, '')), $domain))
    )
SELECT
    coalesce(domain, 'TOTAL') AS domain,
    count(*) AS total,
    count(*) FILTER (WHERE minutes < 5) AS "5",
    count(*) FILTER (WHERE minutes >= 5 AND minutes < 10) AS "10",
    count(*) FILTER (WHERE minutes >= 10 AND minutes < 20) AS "20",
    count(*) FILTER (WHERE minutes >= 20 AND minutes < 40) AS "40",
    count(*) FILTER (WHERE minutes >= 40 AND minutes < 80) AS "80",
    count(*) FILTER (WHERE minutes >= 80 AND minutes < 160) AS "160",
    count(*) FILTER (WHERE minutes >= 160 AND minutes < 320) AS "320",
    count(*) FILTER (WHERE minutes >= 320 AND minutes < 640) AS "640",
    count(*) FILTER (WHERE minutes >= 640 AND minutes < 1280) AS "1280",
    count(*) FILTER (WHERE minutes >= 1280) AS "1280+"
FROM aged
GROUP BY GROUPING SETS ((domain), ())
HAVING count(*) > 0
ORDER BY grouping(domain) DESC, total DESC, domain
LIMIT $top + 1;
