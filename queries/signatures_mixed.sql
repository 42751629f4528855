-- summary: digests of mail that were reported as spam and as ham
-- group: health
-- param: since time -7d
-- param: until time now
-- param: top count 50
-- bar: disputed
--
-- Of the signature server, see maillog-signature(1). Digests with a report in the period; disputed is the smaller one of both counts.
SELECT digest, least(count, wl_count) AS disputed, count, wl_count, updated, wl_updated
FROM signature
WHERE count > 0
    AND wl_count > 0
    AND greatest(updated, wl_updated) >= $since
    AND greatest(updated, wl_updated) < $until
ORDER BY disputed DESC, count DESC, digest
LIMIT $top;
