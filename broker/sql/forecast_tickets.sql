-- Open tickets with what the forecast needs, the urgent first, and how many are open.
--  $1 how many at most
SELECT d.ticket, d.priority, d.state, d.clocks, count(*) OVER () AS open
  FROM desk d
 WHERE d.state IN (0, 1, 2, 3, 4, 7) AND d.priority IS NOT NULL
 ORDER BY d.priority, d.wake_at NULLS LAST
 LIMIT $1::integer
