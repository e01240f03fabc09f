-- Verdicts on the promises of one ticket, the newest, in the order of their due times; the columns of deadline_list.sql.
--  $1 ticket
SELECT * FROM (
    SELECT d.ticket, t.customer, t.package, d.clock, d.cycle, d.verdict, d.cause, d.priority, d.promise_s, d.due_at, d.met_at, d.worked_s,
           d.paused_s, d.judged_at, p.hash, d.zones, x.actor, x.at, x.reason
      FROM deadlines d
      JOIN tickets t ON t.id = d.ticket
      LEFT JOIN process_log p ON p.n = d.process
      LEFT JOIN excuses x ON x.ticket = d.ticket AND x.clock = d.clock AND x.cycle = d.cycle
     WHERE d.ticket = $1::bigint
     ORDER BY d.judged_at DESC LIMIT 500) newest
 ORDER BY due_at, clock, cycle
