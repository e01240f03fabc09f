-- A page of ticket.list, oldest first. The candidates come from one index by one filter, a bounded number of them; all other filters
-- look at the candidates only, so that no page can cost more than its bound. One row comes back at least: the columns of ticket_row.h (id
-- NULL when no candidate passed), then how many candidates were looked at and the last one's id.
--  $1 only above this id  $2 and not above this one  $3 candidates  $4 limit  $5 customer  $6 states  $7 priority  $8 assignee
--  $9 queue  $10 tag  $11 text  $12 posted from  $13 posted until  $14 where from: 0 tickets, 1 customer, 2 assignee, 3 states
WITH c AS MATERIALIZED (
    SELECT id FROM (
        (SELECT id FROM tickets WHERE $14::smallint = 0 AND id > $1::bigint AND id <= $2::bigint ORDER BY id ASC LIMIT $3::integer)
        UNION ALL
        (SELECT id FROM tickets
          WHERE $14::smallint = 1 AND customer = $5::text AND id > $1::bigint AND id <= $2::bigint ORDER BY id ASC LIMIT $3::integer)
        UNION ALL
        (SELECT ticket FROM desk
          WHERE $14::smallint = 2 AND assignee = $8::text AND ticket > $1::bigint AND ticket <= $2::bigint ORDER BY ticket ASC LIMIT $3::integer)
        UNION ALL
        SELECT x.ticket
          FROM unnest($6::smallint[]) AS s(state),
               unnest(CASE WHEN $7::smallint IS NULL THEN '{1,2,3,4}'::smallint[] ELSE ARRAY[$7::smallint] END) AS p(priority),
               LATERAL (SELECT ticket FROM desk d
                         WHERE $14::smallint = 3 AND d.state = s.state AND d.priority = p.priority AND d.ticket > $1::bigint
                           AND d.ticket <= $2::bigint
                         ORDER BY ticket ASC LIMIT $3::integer) x
        UNION ALL
        SELECT x.ticket
          FROM unnest($6::smallint[]) AS s(state),
               LATERAL (SELECT ticket FROM desk d
                         WHERE $14::smallint = 3 AND $7::smallint IS NULL AND d.state = s.state AND d.priority IS NULL
                           AND d.ticket > $1::bigint AND d.ticket <= $2::bigint
                         ORDER BY ticket ASC LIMIT $3::integer) x
    ) every
     ORDER BY id ASC LIMIT $3::integer
)
SELECT f.*, looked.count, looked.last
  FROM (SELECT count(*)::integer AS count, max(id) AS last FROM c) looked
  LEFT JOIN LATERAL (
    SELECT t.id, t.posted_at, t.customer, t.package, coalesce(a.title, t.title) AS title, NULL::bytea AS problem, t.extra,
           NULL::bytea AS equipment, NULL::bytea AS configuration, NULL::bytea AS attributes,
           d.version, d.state, d.priority, d.assignee, d.queue, d.kind, d.tags, d.reply_pending, d.held, d.clocks, d.updated_at
      FROM c
      JOIN tickets t ON t.id = c.id
      LEFT JOIN desk d ON d.ticket = c.id
      LEFT JOIN amendments a ON a.ticket = c.id
     WHERE ($5::text IS NULL OR t.customer = $5::text)
       AND ($6::smallint[] IS NULL OR coalesce(d.state, 0) = ANY ($6::smallint[]))
       AND ($7::smallint IS NULL OR d.priority = $7::smallint)
       AND ($8::text IS NULL OR d.assignee = $8::text)
       AND ($9::text IS NULL OR d.queue = $9::text)
       AND ($10::text IS NULL OR $10::text = ANY (d.tags))
       AND ($12::bigint IS NULL OR t.posted_at >= $12::bigint)
       AND ($13::bigint IS NULL OR t.posted_at < $13::bigint)
       AND ($11::text IS NULL OR strpos(lower(coalesce(a.title, t.title)), lower($11::text)) > 0
            OR strpos(lower(convert_from(t.problem, 'UTF8')), lower($11::text)) > 0)
     ORDER BY c.id ASC LIMIT $4::integer
  ) f ON true
 ORDER BY f.id ASC
