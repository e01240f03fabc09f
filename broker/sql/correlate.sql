-- Where a submit with a correlation belongs: to the open ticket of it, or to one that is to be posted now (then the row is kept for it).
-- The row is always written, so that two who ask at the same time see each other.
--  $1 key digest  $2 customer  $3 correlation  $4 token of this request
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
before AS MATERIALIZED ( -- the same request, earlier
    SELECT id AS ticket, true AS posted FROM tickets WHERE key_digest = $1::bytea
    UNION ALL
    SELECT ticket, false FROM keys WHERE digest = $1::bytea
    LIMIT 1
), c AS (
    INSERT INTO correlations AS was (customer, correlation, ticket, token, at)
    SELECT $2::text, $3::text, 0, $4::bigint, clock.at FROM clock WHERE NOT EXISTS (SELECT FROM before)
    ON CONFLICT (customer, correlation) DO UPDATE
       SET (ticket, token, at) = (
           SELECT CASE WHEN keep.yes THEN was.ticket ELSE 0 END, CASE WHEN keep.yes THEN was.token ELSE excluded.token END,
                  CASE WHEN keep.yes THEN was.at ELSE excluded.at END
             FROM (SELECT CASE -- somebody is just posting it; it is open
                          WHEN was.ticket = 0 OR NOT EXISTS (SELECT FROM tickets t WHERE t.id = was.ticket)
                          THEN was.at > excluded.at - 10000000
                          ELSE NOT EXISTS (SELECT FROM desk d WHERE d.ticket = was.ticket AND d.state = 6) END AS yes) keep)
    RETURNING ticket, token
)
SELECT before.ticket AS before, before.posted, c.ticket, c.token = $4::bigint AS ours,
       (SELECT t.posted_at FROM tickets t WHERE t.id = coalesce(before.ticket, c.ticket)) AS posted_at
  FROM clock LEFT JOIN before ON true LEFT JOIN c ON true
