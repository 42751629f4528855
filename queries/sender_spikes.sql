-- summary: senders above their own norm: the last day beside the days before
-- group: logins
-- param: at time now
-- param: top count 20
-- param: host text
-- param: instance text
-- param: days count 14 -- Norm of so many days before
-- param: least count 20 -- Only senders with at least this many recipients in the last day
-- spark: shape
--
-- The sender is the login where there was one, else the envelope sender; mail from outside counts as well. Norm: average
-- recipients a day; a spike is more than three standard deviations above it, and more than twice of it. Shape: recipients of each
-- day, the last at the right. Days are counted back from --at. A sender that is new has no norm and is in it with norm 0.
WITH
    daily AS (
        SELECT
            coalesce(sasl_username, lower(sender)) AS sender,
            floor(epoch($at::TIMESTAMP - time) / 86400)::INTEGER AS day,
            count(*) AS messages,
            sum(coalesce(nrcpt, 1)) AS recipients
        FROM delivery_from
        WHERE time >= $at::TIMESTAMP - to_days($days::INTEGER + 1)
            AND time < $at::TIMESTAMP
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND root_id = id
            AND origin <> 'bounce'
            AND sender <> ''
            AND status NOT IN ('receiving', 'canceled', 'rejected')
        GROUP BY ALL
    ),
    loud AS (
        SELECT sender FROM daily WHERE day = 0 AND recipients >= $least
    ),
    filled AS (
        SELECT l.sender, d.day, coalesce(y.recipients, 0) AS recipients, coalesce(y.messages, 0) AS messages
        FROM loud l
        CROSS JOIN generate_series(0, $days::INTEGER) AS d(day)
        LEFT JOIN daily y ON y.sender = l.sender AND y.day = d.day
    )
SELECT
    sender,
    sum(messages) FILTER (WHERE day = 0)::BIGINT AS messages,
    sum(recipients) FILTER (WHERE day = 0)::BIGINT AS recipients,
    round(avg(recipients) FILTER (WHERE day > 0), 1) AS norm,
    round(sum(filled.recipients) FILTER (WHERE day = 0) / nullif(avg(filled.recipients) FILTER (WHERE day > 0), 0), 1) AS factor,
    list(filled.recipients::BIGINT ORDER BY day DESC) AS shape
FROM filled
GROUP BY sender
HAVING sum(filled.recipients) FILTER (WHERE day = 0) > 2 * avg(filled.recipients) FILTER (WHERE day > 0)
    AND sum(filled.recipients) FILTER (WHERE day = 0)
        > avg(filled.recipients) FILTER (WHERE day > 0) + 3 * coalesce(stddev_pop(filled.recipients) FILTER (WHERE day > 0), 0)
ORDER BY recipients DESC, sender
LIMIT $top;
