-- S4 states follow from events: who has only the posting is new; closed ones were closed or approved last, of what changes a state.
SELECT count(*), count(*) FILTER (WHERE bad), min(ticket) FILTER (WHERE bad)
  FROM (SELECT d.ticket,
               CASE WHEN d.version = 1 THEN d.state <> 0
                    WHEN d.state = 0 THEN EXISTS (SELECT FROM events e WHERE e.ticket = d.ticket AND e.kind = 2)
                    WHEN d.state = 6 THEN NOT EXISTS (SELECT FROM events e WHERE e.ticket = d.ticket AND e.kind IN (17, 20, 3))
                    WHEN d.state = 5 THEN NOT EXISTS (SELECT FROM events e WHERE e.ticket = d.ticket AND e.kind = 16)
                    ELSE false END AS bad
          FROM desk d) x
