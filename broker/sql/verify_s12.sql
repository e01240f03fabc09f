-- S12 what is told is committed: a message about a version that is there, and no attempt before the message was written.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT o.ticket, t.id IS NULL OR o.version > coalesce(d.version, 1) AS bad
          FROM outbox o LEFT JOIN tickets t ON t.id = o.ticket LEFT JOIN desk d ON d.ticket = o.ticket
         WHERE o.ticket <> 0
        UNION ALL
        SELECT d.ticket, a.started_at < d.created_at FROM attempts a JOIN deliveries d ON d.id = a.delivery) x
