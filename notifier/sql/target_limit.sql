-- What is over the limit of its address, or of its ticket at that address, is held back for one summary: counted are the last messages, each for
-- a short and for a long time after it was taken. Receipts (they have a summary of their own), resolutions and questions to agree never are,
-- nor what belongs to an alert of P1. What is held back joins what the address holds already, so that a storm makes one summary for each pause and
-- not one for each look. On a telephone the first page of such an alert never is, and further ones are held back to be joined into one
-- call. Waits for nobody, as target_merge: what another holds just now is left to a later look.
--  $1 mark  $2 channel; customers: $3 per short window $4 per long; staff and ops: $5 short $6 long; $7 short window µs $8 long window µs
--  $9 pause before the summary µs  $10 whether pages of P1 are joined  $11 to a customer about one ticket in 10 minutes  $12 in an hour
WITH clock AS MATERIALIZED (SELECT docket_began() AS at),
q AS MATERIALIZED (
    SELECT t.address, u.short, u.long, h.next_at AS summary_at
      FROM targets t CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE u.counted_at > clock.at - $7::bigint) AS short, count(*) AS long
             FROM (SELECT u.counted_at FROM deliveries u
                    WHERE u.channel = $2::text AND u.address = t.address AND u.counted_at > clock.at - $8::bigint
                    ORDER BY u.counted_at DESC
                    LIMIT greatest($3::integer, $4::integer, $5::integer, $6::integer)) u) u
           LEFT JOIN LATERAL (
           SELECT min(h.next_at) FILTER (WHERE h.digest) AS next_at
             FROM (SELECT h.digest, h.next_at FROM deliveries h
                    WHERE h.channel = $2::text AND h.address = t.address AND h.state = 0 AND h.attempts = 0 AND h.next_at > clock.at
                      AND h.next_at <= clock.at + $9::bigint
                    ORDER BY h.next_at
                    LIMIT 100) h) h ON true
     WHERE t.channel = $2::text AND t.ready_at = $1::bigint
), d AS MATERIALIZED (
    SELECT d.id, d.audience, d.ticket, d.is_page, q.address, q.short, q.long, q.summary_at,
           row_number() OVER (PARTITION BY q.address, d.audience = 1 ORDER BY d.is_page DESC, d.next_at, d.id) AS n
      FROM q CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT d.id, d.audience, d.ticket, d.next_at, docket_is_p1(d.kind, d.alert, d.priority) AS is_page
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = q.address AND d.state = 0 AND d.next_at <= clock.at AND d.attempts = 0
              AND NOT d.digest AND docket_is_limited(d.kind)
              AND CASE WHEN docket_is_p1(d.kind, d.alert, d.priority)
                       THEN $10::boolean AND d.kind = 'alert'
                        AND EXISTS (SELECT FROM deliveries p
                                     WHERE p.alert = d.alert AND p.kind = 'alert' AND p.channel = d.channel AND p.address = d.address AND p.id < d.id)
                       ELSE true END
            ORDER BY d.next_at
            LIMIT 500) d
), l AS MATERIALIZED (
    SELECT d.id, d.is_page, d.summary_at
      FROM d CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT FROM deliveries x WHERE x.id = d.id AND x.state = 0 AND x.attempts = 0 LIMIT 1 FOR UPDATE OF x SKIP LOCKED) x
     WHERE d.short + d.n > CASE d.audience WHEN 1 THEN $3::integer ELSE $5::integer END
        OR d.long + d.n > CASE d.audience WHEN 1 THEN $4::integer ELSE $6::integer END
        OR d.audience = 1 AND d.ticket <> 0 AND EXISTS (
               SELECT FROM deliveries p
                WHERE p.ticket = d.ticket AND p.channel = $2::text AND p.address = d.address AND p.attempts > 0
                  AND p.created_at > clock.at - 3600000000
               HAVING count(*) >= $12::integer OR count(*) FILTER (WHERE p.created_at > clock.at - 600000000) >= $11::integer)
)
UPDATE deliveries x
   SET digest = true, next_at = coalesce(l.summary_at, clock.at + $9::bigint),
       reason = CASE WHEN l.is_page THEN 'over the limit of this address: joined with other pages of P1, if there are'
                     ELSE 'over the limit of this address: in the next summary' END
  FROM l CROSS JOIN clock
 WHERE x.id = l.id
