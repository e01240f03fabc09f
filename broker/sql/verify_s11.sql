-- S11 a promise that was met never alerted.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT l.ticket,
               EXISTS (SELECT FROM alerts a
                        WHERE a.ticket = l.ticket AND a.cause LIKE 'missed:%'
                          AND right(a.cause, length(c.tail)) = c.tail) AS bad
          FROM deadlines l, LATERAL (SELECT ':' || l.clock || ':' || l.cycle AS tail) c
         WHERE l.verdict = 'met') x
