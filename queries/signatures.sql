-- summary: digests of mail that were reported most
-- group: health
-- param: since time -7d
-- param: until time now
-- param: top count 50
-- bar: count
--
-- Of the signature server, see maillog-signature(1). Digests with a report in the period; count and wl_count are all reports as spam
-- and as ham, whenever they came.
SELECT digest, count, wl_count, entered, updated, wl_entered, wl_updated
FROM signature
WHERE greatest(updated, wl_updated) >= $since
    AND greatest(updated, wl_updated) < $until
ORDER BY count DESC, wl_count DESC, digest
LIMIT $top;
