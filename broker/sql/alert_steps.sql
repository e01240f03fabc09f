-- The steps of an alert's escalation, in their order.
--  $1 alert
SELECT what, generation, round, level, at, told, note FROM escalations WHERE alert = $1::bigint ORDER BY id LIMIT 2000
