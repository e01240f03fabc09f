-- S5 at most one triage a ticket, and decisions that left an event not more than attempts.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT d.ticket, e.triaged > 1 OR e.decisions >= d.attempt AS bad
          FROM desk d JOIN (SELECT ticket, count(*) FILTER (WHERE kind = 2) AS triaged, count(*) FILTER (WHERE kind IN (2, 3)) AS decisions
                              FROM events WHERE kind IN (2, 3) GROUP BY ticket) e USING (ticket)) x
