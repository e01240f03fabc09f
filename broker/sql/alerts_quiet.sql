-- The alerts of a ticket that make no step, or made none until they were over: muted, or another one stands for them.
--  $1 ticket
SELECT id, state, priority, opened_at, body, quiet
  FROM alerts
 WHERE ticket = $1::bigint AND quiet IS NOT NULL
 ORDER BY id
 LIMIT 100
