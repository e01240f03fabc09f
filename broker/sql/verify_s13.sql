-- S13 the versions of a ticket rise with the feed's numbers.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT e.ticket, e.seq <= coalesce(lag(e.seq) OVER (PARTITION BY e.ticket ORDER BY e.version), t.seq) AS bad
          FROM events e JOIN tickets t ON t.id = e.ticket) x
