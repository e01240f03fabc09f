-- S14 a dead letter has alerted staff.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT l.ticket, NOT EXISTS (SELECT FROM alerts a WHERE a.ticket = l.ticket AND a.kind = 'dead') AS bad FROM dead_letters l) x
