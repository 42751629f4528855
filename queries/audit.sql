-- summary: who asked what of the service, and who acted upon the queue
-- group: health
-- param: since time -7d
-- param: until time now
-- param: top count 50
-- param: user text -- Only this user
--
-- What is the same is told once in ten minutes. SQL stands as it was sent; hits are rows of the answer, or mails acted upon.
SELECT time, who, origin, what, scope, hits
FROM audit
WHERE time >= $since
    AND time < $until
    AND $user IN ('', who)
ORDER BY time DESC, who, what, origin
LIMIT $top;
