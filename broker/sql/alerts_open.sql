-- Opens alerts for tickets that were just decided (verdicts.sql tells how that is known) or given up, unless one is open for the cause. A new one is due at once: the
-- notifier tells of it, level by level.
--  $1 tickets  $2 attempts after  $3 versions  $4 causes  $5 kinds  $6 priorities  $7 texts
INSERT INTO alerts (cause, ticket, kind, priority, opened_at, body)
SELECT u.cause, u.ticket, u.kind, u.priority, docket_now(), u.body
  FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[], $5::text[], $6::smallint[], $7::text[])
       AS u(ticket, attempt, version, cause, kind, priority, body)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.version = u.version AND (d.decided = u.version OR d.dead)
 ORDER BY u.cause
ON CONFLICT (cause) WHERE state < 2 DO NOTHING
