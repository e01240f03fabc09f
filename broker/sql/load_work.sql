-- What a worker must know of woken tickets, but their events (load_events.sql). The first columns are those of ticket_row.h.
--  $1 tickets
SELECT t.id, t.posted_at, t.customer, t.package, coalesce(a.title, t.title) AS title, t.problem, t.extra,
       a.equipment, a.configuration, a.attributes,
       d.version, d.state, d.priority, d.assignee, d.queue, d.kind, d.tags, d.reply_pending, d.held, d.clocks, d.updated_at,
       d.owner, d.attempt, d.failures, d.decided, d.wake_at, d.rank, d.dead, c.record,
       t.posted_package,
       -- A parent's words are on their way to it: soon, for they were said just now.
       CASE WHEN (SELECT EXISTS (SELECT FROM fanouts)) THEN
           EXISTS (SELECT FROM fanouts f JOIN links l ON l.ticket = t.id AND l.to_id = f.ticket AND l.as_link = 'child'
                                         JOIN events e ON e.ticket = f.ticket AND e.version = f.version
                    WHERE l.at <= e.at AND e.at > docket_now() - 30000000)
       ELSE false END AS parent_speaks
  FROM unnest($1::bigint[]) AS u(id)
  JOIN tickets t ON t.id = u.id
  LEFT JOIN desk d ON d.ticket = u.id
  LEFT JOIN amendments a ON a.ticket = u.id
  LEFT JOIN customers c ON c.id = t.customer
