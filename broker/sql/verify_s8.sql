-- S8 exactly one receipt a ticket is to be told, and none was sent to one address twice.
SELECT count(*), count(*) FILTER (WHERE bad), min(id) FILTER (WHERE bad)
  FROM (SELECT t.id, count(o.ticket) <> 1 AS bad FROM tickets t LEFT JOIN outbox o ON o.ticket = t.id AND o.kind = 'received' GROUP BY t.id
        UNION ALL
        SELECT ticket, count(*) > 1 FROM deliveries WHERE kind = 'received' GROUP BY ticket, channel, address HAVING count(*) > 1) x
