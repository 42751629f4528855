-- summary: accounts that look stolen: new networks, bursts, unknown recipients, guesses
-- group: logins
-- param: at time now
-- param: top count 20
-- param: host text
-- param: instance text
-- param: hours count 24 -- Look at so many hours
-- param: days count 14 -- Compare with so many days before
--
-- A point for each sign; accounts with none are left out:
--   networks     logins from at least 3 networks, two or more of them not seen in the days before
--   volume       recipients more than three times the busiest earlier day, and at least 50
--   burst        at least 50 recipients within ten minutes, and more than ever before
--   unknown      a tenth of at least 20 recipients does not exist
--   senders      three or more sender addresses, more than before
--   guessed      ten failed logins of the account before one that worked (user names are logged since Postfix 3.9)
WITH
    mails AS (
        SELECT
            id,
            sasl_username AS user,
            time,
            time >= $at::TIMESTAMP - to_hours($hours) AS is_late,
            coalesce(nrcpt, 1) AS recipients,
            lower(sender) AS sender,
            ip_network(client_address) AS network
        FROM delivery_from
        WHERE time >= $at::TIMESTAMP - to_hours($hours) - to_days($days::INTEGER)
            AND time < $at::TIMESTAMP
            AND $host IN ('', host)
            AND $instance IN ('', instance)
            AND sasl_username IS NOT NULL
            AND root_id = id
            AND status NOT IN ('receiving', 'canceled', 'rejected')
    ),
    days AS (
        SELECT user, is_late, floor(epoch($at::TIMESTAMP - to_hours($hours) - time) / 86400) AS day, sum(recipients) AS recipients
        FROM mails
        GROUP BY ALL
    ),
    volume AS (
        SELECT
            user,
            sum(recipients) FILTER (WHERE is_late) AS recipients,
            coalesce(max(recipients) FILTER (WHERE NOT is_late), 0) AS most_before
        FROM days
        GROUP BY user
    ),
    tens AS (
        SELECT user, is_late, time_bucket(INTERVAL 10 MINUTE, time) AS ten, sum(recipients) AS recipients
        FROM mails
        GROUP BY ALL
    ),
    burst AS (
        SELECT
            user,
            max(recipients) FILTER (WHERE is_late) AS burst,
            coalesce(max(recipients) FILTER (WHERE NOT is_late), 0) AS burst_before
        FROM tens
        GROUP BY user
    ),
    known AS (
        SELECT DISTINCT user, network FROM mails WHERE NOT is_late
    ),
    spread AS (
        SELECT
            m.user,
            count(DISTINCT m.network) AS networks,
            count(DISTINCT m.network) FILTER (WHERE k.network IS NULL) AS new_networks,
            max(m.time) AS last_time
        FROM mails m
        LEFT JOIN known k ON k.user = m.user AND k.network = m.network
        WHERE m.is_late
        GROUP BY m.user
    ),
    senders AS (
        SELECT
            user,
            count(DISTINCT sender) FILTER (WHERE is_late) AS senders,
            count(DISTINCT sender) FILTER (WHERE NOT is_late) AS senders_before
        FROM mails
        GROUP BY user
    ),
    fates AS (
        SELECT m.user, count(*) AS decided, count(*) FILTER (WHERE t.dsn LIKE '5.1.%') AS unknown
        FROM mails m
        JOIN delivery_from f ON f.root_id = m.id
        JOIN delivery_to t ON t.from_id = f.id
        WHERE m.is_late
            AND f.time >= $at::TIMESTAMP - to_hours($hours)
            AND t.status IN ('sent', 'bounced', 'expired')
        GROUP BY m.user
    ),
    worked AS (
        SELECT sasl_username AS user, max(time) AS time
        FROM auth
        WHERE time >= $at::TIMESTAMP - to_hours($hours)
            AND time < $at::TIMESTAMP
            AND ok
        GROUP BY ALL
    ),
    guesses AS (
        SELECT w.user, sum(a.count) AS guesses
        FROM worked w
        JOIN auth a ON a.sasl_username = w.user
        WHERE NOT a.ok
            AND a.time >= $at::TIMESTAMP - to_hours($hours)
            AND a.time < w.time
        GROUP BY w.user
    ),
    signs AS (
        SELECT
            s.user,
            list_filter([
                CASE WHEN s.networks >= 3 AND s.new_networks >= 2 THEN 'networks' END,
                CASE WHEN v.recipients >= 50 AND v.recipients > 3 * v.most_before THEN 'volume' END,
                CASE WHEN b.burst >= 50 AND b.burst > b.burst_before THEN 'burst' END,
                CASE WHEN f.decided >= 20 AND f.unknown * 10 >= f.decided THEN 'unknown' END,
                CASE WHEN n.senders >= 3 AND n.senders > n.senders_before THEN 'senders' END,
                CASE WHEN g.guesses >= 10 THEN 'guessed' END
            ], lambda sign: sign IS NOT NULL) AS signs,
            s.networks,
            s.new_networks,
            v.recipients,
            v.most_before,
            f.unknown,
            n.senders,
            s.last_time
        FROM spread s
        JOIN volume v ON v.user = s.user
        JOIN burst b ON b.user = s.user
        JOIN senders n ON n.user = s.user
        LEFT JOIN fates f ON f.user = s.user
        LEFT JOIN guesses g ON g.user = s.user
    )
SELECT
    user,
    len(signs) AS points,
    array_to_string(signs, ' ') AS signs,
    networks,
    new_networks,
    recipients::BIGINT AS recipients,
    most_before::BIGINT AS most_before,
    coalesce(unknown, 0) AS unknown,
    senders,
    last_time
FROM signs
WHERE len(signs) > 0
ORDER BY points DESC, recipients DESC, user
LIMIT $top;
