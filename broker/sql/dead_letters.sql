-- The letters of wakes that were just given up (their attempt tells).
--  $1 tickets  $2 attempts after  $3 failures  $4 codes  $5 messages  $6 workers
INSERT INTO dead_letters AS was (ticket, at, attempt, failures, code, message, worker)
SELECT u.ticket, docket_now(), u.attempt, u.failures, u.code, u.message, u.worker
  FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::text[], $5::text[], $6::text[])
       AS u(ticket, attempt, failures, code, message, worker)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.dead
ON CONFLICT (ticket) DO UPDATE
   SET at = excluded.at, attempt = excluded.attempt, failures = excluded.failures, code = excluded.code,
       message = excluded.message, worker = excluded.worker
