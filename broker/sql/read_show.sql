-- One ticket as it is now; the columns are those of ticket_row.h.
--  $1 ticket
SELECT t.id, t.posted_at, t.customer, t.package, coalesce(a.title, t.title) AS title, t.problem, t.extra,
       a.equipment, a.configuration, a.attributes,
       d.version, d.state, d.priority, d.assignee, d.queue, d.kind, d.tags, d.reply_pending, d.held, d.clocks, d.updated_at,
       d.dead, d.decided, t.posted_package
  FROM tickets t
  LEFT JOIN desk d ON d.ticket = t.id
  LEFT JOIN amendments a ON a.ticket = t.id
 WHERE t.id = $1::bigint
