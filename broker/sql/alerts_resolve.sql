-- Resolves open alerts of the causes named, for tickets that were just decided (verdicts.sql tells how that is known). A notifier then tells those who had been told.
--  $1 tickets  $2 attempts after  $3 versions after  $4 causes
UPDATE alerts a SET state = 2, resolved_at = docket_now(), next_at = 0, token = NULL, lease_until = NULL
  FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::text[]) AS u(ticket, attempt, version, cause)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.version = u.version AND d.decided = u.version
 WHERE a.cause = u.cause AND a.state < 2
