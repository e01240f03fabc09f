-- ticket.next: takes, for a person, a ticket that waits for us: first a resolved one with a reply (it stays resolved and is assigned), then
-- what nobody has: P1 first, then the earliest due time. Two people never get the same one: what another transaction holds is skipped.
-- No row: nothing there, or a key that was used before.
--  $1 key digest  $2 content digest  $3 request  $4 epoch  $5 next state for each state  $6 actor  $7 queues or NULL  $8 body of taken
--  $9 body of assigned
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (
    UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea
    RETURNING content, request, ticket, version
), posted AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken
), near AS MATERIALIZED (
    -- Resolved tickets whose customers said something since, of nobody or of who asks; then what nobody has. Of each queue asked for
    -- its own first ones: no scan over the others.
    (SELECT d.ticket, 0 AS turn, d.priority, d.due_at FROM desk d
      WHERE d.state = 5 AND d.reply_pending AND (d.assignee IS NULL OR d.assignee = $6::text)
        AND ($7::text[] IS NULL OR d.queue = ANY ($7::text[]))
      ORDER BY d.priority, d.due_at, d.ticket LIMIT 400)
    UNION ALL
    (SELECT d.ticket, 1, d.priority, d.due_at FROM desk d
      WHERE d.assignee IS NULL AND d.state IN (0, 1, 7) AND $7::text[] IS NULL
      ORDER BY d.priority, d.due_at, d.ticket LIMIT 400)
    UNION ALL
    SELECT c.ticket, 1, c.priority, c.due_at
      FROM unnest($7::text[]) AS w(queue),
           LATERAL (SELECT d.ticket, d.priority, d.due_at FROM desk d
                     WHERE d.queue = w.queue AND d.queue IS NOT NULL AND d.assignee IS NULL AND d.state IN (0, 1, 7)
                     ORDER BY d.priority, d.due_at, d.ticket LIMIT 400) c
), pick AS (
    -- One after the other by its key, until one is free: joined at once, all of the desk would be walked.
    SELECT d.ticket
      FROM (SELECT ticket FROM near ORDER BY turn, priority, due_at, ticket OFFSET 0) n CROSS JOIN LATERAL (
           SELECT d.ticket FROM desk d
            WHERE d.ticket = n.ticket
              AND CASE WHEN d.state = 5 THEN d.reply_pending AND (d.assignee IS NULL OR d.assignee = $6::text)
                       ELSE d.state IN (0, 1, 7) AND d.assignee IS NULL END
            LIMIT 1
              FOR NO KEY UPDATE OF d SKIP LOCKED) d
     WHERE NOT EXISTS (SELECT FROM k) AND NOT (SELECT key_taken FROM posted)
     LIMIT 1
), u AS (
    UPDATE desk d
       SET version = d.version + 1,
           attempt = d.attempt + 1,
           owner = $4::bigint,
           wake_at = clock.at,
           rank = clock.at,
           updated_at = clock.at,
           failures = 0,
           state = CASE WHEN d.state = 5 THEN 5 ELSE ($5::smallint[])[d.state + 1] END,
           held = d.held | 4,
           lane = docket_class(d.priority),
           assignee = $6::text
      FROM pick, clock
     WHERE d.ticket = pick.ticket
    RETURNING d.ticket, d.version, d.attempt, d.priority, d.state
), e AS (
    INSERT INTO events (ticket, version, at, kind, role, actor, public, body)
    SELECT u.ticket, u.version, clock.at, CASE WHEN u.state = 5 THEN 7 ELSE 6 END, 0, $6::text, false,
           CASE WHEN u.state = 5 THEN $9::bytea ELSE $8::bytea END
      FROM u, clock
), kk AS (
    INSERT INTO keys (digest, content, request, at, ticket, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, u.ticket, u.version FROM u, clock
)
SELECT u.ticket, u.version, u.attempt, u.priority, t.customer, posted.key_taken,
       k.content AS key_content, k.request AS key_request, k.ticket AS key_ticket, clock.at
  FROM clock CROSS JOIN posted LEFT JOIN u ON true LEFT JOIN k ON true LEFT JOIN tickets t ON t.id = u.ticket
