-- summary: clients of the signature server, with their requests
-- group: health
-- param: since time -7d
-- param: until time now
-- param: top count 50
-- bar: requests
--
-- A client is an address and a user. A request with several digests counts once for each. Refused are requests with another code than
-- 200. In a flood (more than a thousand different requests at once) digests are missing, and then addresses.
SELECT
    client_address,
    username,
    sum(count)::BIGINT AS requests,
    coalesce(sum(count) FILTER (WHERE operation = 'report' AND reply_code = 200), 0)::BIGINT AS reports,
    coalesce(sum(count) FILTER (WHERE operation = 'whitelist' AND reply_code = 200), 0)::BIGINT AS whitelists,
    coalesce(sum(count) FILTER (WHERE operation = 'check' AND reply_code = 200), 0)::BIGINT AS checks,
    coalesce(sum(count) FILTER (WHERE reply_code <> 200), 0)::BIGINT AS refused,
    max(time) AS last_time
FROM signature_use
WHERE time >= $since
    AND time < $until
GROUP BY client_address, username
ORDER BY requests DESC, client_address, username
LIMIT $top;
