-- summary: requests to the signature server by day
-- group: health
-- param: since time -30d
-- param: until time now
-- param: timezone zone
-- bar: requests
--
-- A request with several digests counts once for each. Refused are requests with another code than 200.
SELECT
    strftime(in_zone(time, $timezone), '%Y-%m-%d') AS day,
    sum(count)::BIGINT AS requests,
    coalesce(sum(count) FILTER (WHERE operation = 'report' AND reply_code = 200), 0)::BIGINT AS reports,
    coalesce(sum(count) FILTER (WHERE operation = 'whitelist' AND reply_code = 200), 0)::BIGINT AS whitelists,
    coalesce(sum(count) FILTER (WHERE operation = 'check' AND reply_code = 200), 0)::BIGINT AS checks,
    coalesce(sum(count) FILTER (WHERE reply_code <> 200), 0)::BIGINT AS refused
FROM signature_use
WHERE time >= $since
    AND time < $until
GROUP BY day
ORDER BY day;
