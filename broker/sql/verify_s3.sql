-- S3 version is the number of events, without a gap (the posting is event 1); no event without its desk row.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT coalesce(d.ticket, e.ticket) AS ticket,
               d.ticket IS NULL OR d.version <> 1 + coalesce(e.n, 0) OR d.version <> coalesce(e.top, 1) AS bad
          FROM desk d FULL JOIN (SELECT ticket, count(*) AS n, max(version) AS top FROM events GROUP BY ticket) e ON e.ticket = d.ticket) x
