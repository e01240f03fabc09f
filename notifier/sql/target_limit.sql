-- What is over the limit of its address, or of its ticket at that address, is held back for one summary. What belongs to an alert of P1, receipts (they
-- have a summary of their own), resolutions and questions to agree never are.
--  $1 mark  $2 channel; customers: $3 per short window $4 per long; staff and ops: $5 short $6 long; $7 short window µs $8 long window µs
--  $9 pause before the summary µs
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
q AS MATERIALIZED (
    SELECT t.address, CASE WHEN t.short_at > clock.at - $7::bigint THEN t.short_count ELSE 0 END AS short,
           CASE WHEN t.long_at > clock.at - $8::bigint THEN t.long_count ELSE 0 END AS long
      FROM targets t, clock
     WHERE t.channel = $2::text AND t.ready_at = $1::bigint
), d AS MATERIALIZED (
    SELECT d.id, d.audience, d.ticket, q.address, q.short, q.long,
           row_number() OVER (PARTITION BY q.address, d.audience = 1 ORDER BY d.next_at, d.id) AS n
      FROM q CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT d.id, d.audience, d.ticket, d.next_at
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = q.address AND d.state = 0 AND d.next_at <= clock.at AND d.attempts = 0
              AND NOT d.digest AND d.kind NOT IN ('received', 'receipts', 'digest', 'approval_asked', 'cannot_resolve')
              AND NOT ((d.kind = 'alert' OR d.alert IS NOT NULL) AND coalesce(d.priority, 1) = 1)
            ORDER BY d.next_at
            LIMIT 500) d
)
UPDATE deliveries x
   SET digest = true, next_at = clock.at + $9::bigint, reason = 'over the limit of this address: in the next summary'
  FROM d CROSS JOIN clock
 WHERE x.id = d.id
   AND (d.short + d.n > CASE d.audience WHEN 1 THEN $3::integer ELSE $5::integer END
     OR d.long + d.n > CASE d.audience WHEN 1 THEN $4::integer ELSE $6::integer END
     OR d.audience = 1 AND d.ticket <> 0 AND EXISTS (
            SELECT FROM deliveries p
             WHERE p.ticket = d.ticket AND p.channel = $2::text AND p.address = d.address AND p.attempts > 0
               AND p.created_at > clock.at - $8::bigint
            HAVING count(*) >= 25 OR count(*) FILTER (WHERE p.created_at > clock.at - 600000000) >= 10))
