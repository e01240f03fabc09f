-- One alert; columns as in alert_list.
--  $1 alert
SELECT id, cause, ticket, kind, priority, state, body, generation, opened_at, acked_at, acked_by, resolved_at, resolved_by, policy,
       round, level, CASE WHEN next_at > 0 THEN next_at END AS next_at, quiet
  FROM alerts
 WHERE id = $1::bigint
