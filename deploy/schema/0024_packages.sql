-- What a ticket that is moved to another package was before. A verdict stays with the package that it was judged for, a posting with that of
-- its time: both are written down with the move. NULL: the ticket was not moved since; the posting's '' is that of an unknown customer.
ALTER TABLE deadlines ADD COLUMN package text;
ALTER TABLE tickets ADD COLUMN posted_package text;
CREATE OR REPLACE VIEW judged AS
SELECT d.ticket, t.customer, coalesce(d.package, t.package) AS package, d.clock, d.cycle, d.verdict, d.cause, d.priority, d.promise_s, d.due_at,
       d.met_at, d.worked_s, d.paused_s, d.judged_at, p.hash, d.zones, x.actor AS excused_by, x.at AS excused_at, x.reason AS excused_for
  FROM deadlines d
  JOIN tickets t ON t.id = d.ticket
  LEFT JOIN process_log p ON p.n = d.process
  LEFT JOIN excuses x ON x.ticket = d.ticket AND x.clock = d.clock AND x.cycle = d.cycle;
