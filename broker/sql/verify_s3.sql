-- S3 version is the number of events, without a gap (the posting is event 1).
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT d.ticket, d.version <> 1 + coalesce(e.n, 0) OR d.version <> coalesce(e.top, 1) AS bad
          FROM desk d LEFT JOIN (SELECT ticket, count(*) AS n, max(version) AS top FROM events GROUP BY ticket) e USING (ticket)) x
