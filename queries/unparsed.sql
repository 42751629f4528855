-- summary: Postfix lines that no rule of maillog knows, by template
-- group: health
-- param: top count 20
--
-- A bug report about one should have the output of maillog parse for the sample. The times are those of the log.
SELECT
    service,
    template,
    count AS number,
    first_time,
    last_time,
    sample
FROM unparsed
ORDER BY number DESC, service, template
LIMIT $top;
