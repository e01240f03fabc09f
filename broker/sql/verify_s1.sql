-- S1 a key stands for one thing: no two tickets, not a ticket and a change, and what it answered with is there.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT min(id) AS ticket, count(*) > 1 AS bad FROM tickets GROUP BY key_digest
        UNION ALL
        SELECT k.ticket,
               EXISTS (SELECT FROM tickets t WHERE t.key_digest = k.digest)
               OR (k.ticket IS NOT NULL AND k.version > 1
                   AND NOT EXISTS (SELECT FROM events e WHERE e.ticket = k.ticket AND e.version = k.version))
          FROM keys k) x
