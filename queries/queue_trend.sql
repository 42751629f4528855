-- summary: how full Postfix's queue was, as the service listed it each minute
-- group: queue
-- param: since time -1d
-- param: until time now
-- param: minutes count 60 -- Minutes of a row
-- param: domain domain
-- param: host text
-- param: timezone zone
-- bar: mails
--
-- From Postfix's queue itself (table queue_snapshot), not from the log: the service lists it each minute, see QUEUE in
-- maillog.service(8). A row is so many minutes; its numbers are those of the listing with the most mails in that time. With a domain:
-- mails that wait for it, while it is among the fifty with the most recipients of its queue.
WITH
    listed AS (
        SELECT
            time,
            host,
            sum(mails)::BIGINT AS mails,
            coalesce(sum(mails) FILTER (WHERE status = 'deferred'), 0)::BIGINT AS deferred,
            coalesce(sum(mails) FILTER (WHERE status = 'active'), 0)::BIGINT AS active,
            coalesce(sum(mails) FILTER (WHERE status = 'incoming'), 0)::BIGINT AS incoming,
            coalesce(sum(mails) FILTER (WHERE status = 'hold'), 0)::BIGINT AS hold,
            sum(recipients)::BIGINT AS recipients,
            sum(size)::BIGINT AS size,
            min(oldest) AS oldest
        FROM queue_snapshot
        WHERE time >= $since
            AND time < $until
            AND $host IN ('', host)
            AND CASE
                WHEN $domain = '' THEN domain IS NULL
                ELSE ends_with('@' || coalesce(domain, ''), $domain)
            END
        GROUP BY time, host
    ),
    fullest AS (
        SELECT
            time_bucket(to_minutes(greatest($minutes, 1)), time, TIMESTAMP '2000-01-01') AS begins,
            host,
            count(*) AS listings,
            arg_max(listed, (mails, recipients, time)) AS most
        FROM listed
        GROUP BY begins, host
    )
SELECT
    strftime(in_zone(begins, $timezone), '%Y-%m-%d %H:%M') AS time,
    host,
    most.mails,
    most.deferred,
    most.active,
    most.incoming,
    most.hold,
    most.recipients,
    most.size,
    round(epoch(most.time - most.oldest) / 3600, 1) AS oldest_hours,
    listings
FROM fullest
ORDER BY begins, host;
