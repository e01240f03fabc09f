-- Resolves open alerts of the causes named, for tickets that were just decided (verdicts.sql tells how that is known). A notifier then tells those who had been told.
-- In the order of alerts, as all lock them that lock several: a notifier that takes their steps would wait for us, and we for it.
--  $1 tickets  $2 attempts after  $3 versions after  $4 causes
WITH r AS MATERIALIZED (
    SELECT a.id
      FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[]) AS u(ticket, attempt, version, cause)
      JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.version = u.version AND d.decided = u.version
      JOIN alerts a ON a.cause = u.cause AND a.state < 2
     ORDER BY a.id
       FOR NO KEY UPDATE OF a
)
UPDATE alerts a SET state = 2, resolved_at = docket_now(), next_at = 0, token = NULL, lease_until = NULL
  FROM r
 WHERE a.id = r.id AND a.state < 2
