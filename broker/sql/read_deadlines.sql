-- Verdicts on the promises of one ticket, the newest, in the order of their due times.
--  $1 ticket
SELECT * FROM (SELECT * FROM judged WHERE ticket = $1::bigint ORDER BY judged_at DESC LIMIT 500) newest
 ORDER BY due_at, clock, cycle
