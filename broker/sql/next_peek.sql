-- ticket.next with peek: which ticket the next taker would get; nothing is taken.
--  $1 queues or NULL  $2 actor
SELECT c.ticket FROM (
    -- Resolved tickets whose customers said something since, of nobody or of who asks; then what nobody has. Of each queue asked for
    -- its own first ones: no scan over the others.
    (SELECT d.ticket, 0 AS turn, d.priority, d.due_at FROM desk d
      WHERE d.state = 5 AND d.reply_pending AND (d.assignee IS NULL OR d.assignee = $2::text)
        AND ($1::text[] IS NULL OR d.queue = ANY ($1::text[]))
      ORDER BY d.priority, d.due_at, d.ticket LIMIT 1)
    UNION ALL
    (SELECT d.ticket, 1, d.priority, d.due_at FROM desk d
      WHERE d.assignee IS NULL AND d.state IN (0, 1, 7) AND $1::text[] IS NULL
      ORDER BY d.priority, d.due_at, d.ticket LIMIT 1)
    UNION ALL
    SELECT c.ticket, 1, c.priority, c.due_at
      FROM unnest($1::text[]) AS w(queue),
           LATERAL (SELECT d.ticket, d.priority, d.due_at FROM desk d
                     WHERE d.queue = w.queue AND d.queue IS NOT NULL AND d.assignee IS NULL AND d.state IN (0, 1, 7)
                     ORDER BY d.priority, d.due_at, d.ticket LIMIT 1) c
) c
 ORDER BY c.turn, c.priority, c.due_at, c.ticket LIMIT 1
