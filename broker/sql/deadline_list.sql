-- Verdicts on promises, in the order of their due times.
--  $1 due from  $2 due before  $3 customer  $4 package  $5 priority  $6 clock  $7 verdict; each NULL: all
--  $8 $9 $10 $11 only after this due time, ticket, clock, cycle, or NULL  $12 limit
SELECT d.ticket, t.customer, t.package, d.clock, d.cycle, d.verdict, d.cause, d.priority, d.promise_s, d.due_at, d.met_at, d.worked_s,
       d.paused_s, d.judged_at, p.hash, d.zones, x.actor, x.at, x.reason
  FROM deadlines d
  JOIN tickets t ON t.id = d.ticket
  LEFT JOIN process_log p ON p.n = d.process
  LEFT JOIN excuses x ON x.ticket = d.ticket AND x.clock = d.clock AND x.cycle = d.cycle
 WHERE ($1::bigint IS NULL OR d.due_at >= $1::bigint)
   AND ($2::bigint IS NULL OR d.due_at < $2::bigint)
   AND ($3::text IS NULL OR t.customer = $3::text)
   AND ($4::text IS NULL OR t.package = $4::text)
   AND ($5::smallint IS NULL OR d.priority = $5::smallint)
   AND ($6::text IS NULL OR d.clock = $6::text)
   AND ($7::text IS NULL OR d.verdict = $7::text)
   AND ($8::bigint IS NULL OR (d.due_at, d.ticket, d.clock, d.cycle) > ($8::bigint, $9::bigint, $10::text, $11::integer))
 ORDER BY d.due_at, d.ticket, d.clock, d.cycle
 LIMIT $12::integer
