-- Verdicts on promises, in the order of their due times.
--  $1 due from  $2 due before  $3 customer  $4 package  $5 priority  $6 clock  $7 verdict; each NULL: all
--  $8 $9 $10 $11 only after this due time, ticket, clock, cycle, or NULL  $12 limit
SELECT *
  FROM judged j
 WHERE ($1::bigint IS NULL OR j.due_at >= $1::bigint)
   AND ($2::bigint IS NULL OR j.due_at < $2::bigint)
   AND ($3::text IS NULL OR j.customer = $3::text)
   AND ($4::text IS NULL OR j.package = $4::text)
   AND ($5::smallint IS NULL OR j.priority = $5::smallint)
   AND ($6::text IS NULL OR j.clock = $6::text)
   AND ($7::text IS NULL OR j.verdict = $7::text)
   AND ($8::bigint IS NULL OR (j.due_at, j.ticket, j.clock, j.cycle) > ($8::bigint, $9::bigint, $10::text, $11::integer))
 ORDER BY j.due_at, j.ticket, j.clock, j.cycle
 LIMIT $12::integer
