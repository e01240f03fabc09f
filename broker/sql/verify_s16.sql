-- S16 posted = open + closed: counted from both sides.
SELECT posted, abs(posted - closed - open), NULL::bigint
  FROM (SELECT (SELECT count(*) FROM tickets) AS posted, (SELECT count(*) FROM desk WHERE state = 6) AS closed,
               (SELECT count(*) FROM tickets t LEFT JOIN desk d ON d.ticket = t.id WHERE coalesce(d.state, 0) <> 6) AS open) x
