-- Alerts, newest first.
--  $1 states, or NULL  $2 priority, or NULL  $3 kind, or NULL  $4 ticket, or NULL  $5 only before this one, or NULL  $6 limit
SELECT id, cause, ticket, kind, priority, state, body, generation, opened_at, acked_at, acked_by, resolved_at, resolved_by, policy,
       round, level, CASE WHEN next_at > 0 THEN next_at END AS next_at, quiet
  FROM alerts
 WHERE ($1::smallint[] IS NULL OR state = ANY ($1::smallint[]))
   AND ($2::smallint IS NULL OR priority = $2::smallint)
   AND ($3::text IS NULL OR kind = $3::text)
   AND ($4::bigint IS NULL OR ticket = $4::bigint)
   AND ($5::bigint IS NULL OR id < $5::bigint)
 ORDER BY id DESC
 LIMIT $6::integer
