-- Verdicts that decisions gave, for those that were just applied. A verdict is never rewritten; a miss that was met after all
-- gains when that was, and what was used until then.
-- Applied: the desk row is at the attempt and the version that the decision leads to, and was decided there. A change that came first
-- leads to the same attempt, perhaps to the same version, but decides nothing.
--  $1 tickets  $2 attempts after  $3 clocks  $4 cycles  $5 verdicts  $6 causes  $7 priorities  $8 promise_s  $9 due_at
--  $10 met_at  $11 worked_s  $12 paused_s  $13 zones
--  $14 package that it was judged for, when that is not the ticket's any more; else NULL  $15 process
--  $16 the process by its hash, when the broker has not seen that version: then the database's own number of it counts, if it has one
--  $17 versions after
INSERT INTO deadlines (ticket, clock, cycle, verdict, cause, priority, promise_s, due_at, met_at, worked_s, paused_s, zones,
                       package, process, judged_at)
SELECT u.ticket, u.clock, u.cycle, u.verdict, u.cause, u.priority, u.promise_s, u.due_at, u.met_at, u.worked_s, u.paused_s,
       u.zones, u.package,
       coalesce(CASE WHEN $16::text IS NOT NULL THEN (SELECT max(l.n) FROM process_log l WHERE l.hash = $16::text) END, $15::integer), docket_now()
  FROM unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::smallint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[], $14::text[], $17::integer[])
       AS u(ticket, attempt, clock, cycle, verdict, cause, priority, promise_s, due_at, met_at, worked_s, paused_s, zones, package, version)
  JOIN desk d ON d.ticket = u.ticket AND d.attempt = u.attempt AND d.version = u.version AND d.decided = u.version
ON CONFLICT (ticket, clock, cycle) DO UPDATE
   SET met_at = excluded.met_at, worked_s = excluded.worked_s, paused_s = excluded.paused_s
 WHERE deadlines.met_at IS NULL AND deadlines.verdict = 'missed' AND excluded.met_at IS NOT NULL
