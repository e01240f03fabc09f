-- Verdicts as they are shown (broker/read_deadlines.h gives the columns' order), with the hash of the process and the excuse of each.
CREATE VIEW judged AS
SELECT d.ticket, t.customer, t.package, d.clock, d.cycle, d.verdict, d.cause, d.priority, d.promise_s, d.due_at, d.met_at, d.worked_s,
       d.paused_s, d.judged_at, p.hash, d.zones, x.actor AS excused_by, x.at AS excused_at, x.reason AS excused_for
  FROM deadlines d
  JOIN tickets t ON t.id = d.ticket
  LEFT JOIN process_log p ON p.n = d.process
  LEFT JOIN excuses x ON x.ticket = d.ticket AND x.clock = d.clock AND x.cycle = d.cycle;
