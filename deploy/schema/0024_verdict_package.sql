-- A verdict is of the package that its ticket had then: it is written down when the ticket is moved to another one. NULL: the ticket's own.
ALTER TABLE deadlines ADD COLUMN package text;
CREATE OR REPLACE VIEW judged AS
SELECT d.ticket, t.customer, coalesce(d.package, t.package) AS package, d.clock, d.cycle, d.verdict, d.cause, d.priority, d.promise_s, d.due_at,
       d.met_at, d.worked_s, d.paused_s, d.judged_at, p.hash, d.zones, x.actor AS excused_by, x.at AS excused_at, x.reason AS excused_for
  FROM deadlines d
  JOIN tickets t ON t.id = d.ticket
  LEFT JOIN process_log p ON p.n = d.process
  LEFT JOIN excuses x ON x.ticket = d.ticket AND x.clock = d.clock AND x.cycle = d.cycle;
