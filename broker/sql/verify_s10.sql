-- S10 each missed promise has its alert, none a second one; and one open alert a cause.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT l.ticket,
               (SELECT count(*) FROM alerts a
                 WHERE a.ticket = l.ticket AND a.cause LIKE 'missed:%'
                   AND right(a.cause, length(c.tail)) = c.tail) <> 1 AS bad
          FROM deadlines l, LATERAL (SELECT ':' || l.clock || ':' || l.cycle AS tail) c
         WHERE l.verdict = 'missed'
        UNION ALL
        SELECT min(ticket), count(*) > 1 FROM alerts WHERE state < 2 GROUP BY cause) x
