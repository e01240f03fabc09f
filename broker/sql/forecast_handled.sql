-- From taking to solving, of the tickets that were solved last.
--  $1 how many at most
SELECT d.priority, t.at AS from_at, r.at AS until_at
  FROM (SELECT e.ticket, e.version, e.at FROM events e
         WHERE e.kind = 16 AND e.seq > (SELECT last_value FROM event_seq) - 500000
         ORDER BY e.seq DESC LIMIT $1::integer) r
  JOIN desk d ON d.ticket = r.ticket AND d.priority IS NOT NULL
 CROSS JOIN LATERAL (SELECT e.at FROM events e WHERE e.ticket = r.ticket AND e.kind = 6 AND e.version < r.version
                      ORDER BY e.version DESC LIMIT 1) t
