-- ticket.next with peek: which ticket the next taker would get; nothing is taken.
--  $1 queues or NULL
SELECT c.ticket
  FROM unnest('{0,1,7}'::smallint[]) AS s(state),
       LATERAL (SELECT d.ticket, d.priority FROM desk d
                 WHERE d.state = s.state AND d.assignee IS NULL AND ($1::text[] IS NULL OR d.queue = ANY ($1::text[]))
                 ORDER BY d.priority, d.ticket LIMIT 1) c
 ORDER BY c.priority, c.ticket LIMIT 1
