-- ticket.next: takes, for a person, an unassigned open ticket that waits for us: P1 first, then the earliest posting. Two people
-- never get the same one: what another transaction holds is skipped. No row: nothing there, or a key that was used before.
--  $1 key digest  $2 content digest  $3 request  $4 epoch  $5 next state for each state  $6 actor  $7 queues or NULL  $8 event body
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (
    UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea
    RETURNING content, request, ticket, version
), posted AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM tickets WHERE key_digest = $1::bytea) AS key_taken
), near AS MATERIALIZED (
    SELECT c.ticket, c.priority
      FROM unnest('{0,1,7}'::smallint[]) AS s(state),
           LATERAL (SELECT d.ticket, d.priority FROM desk d
                     WHERE d.state = s.state AND d.assignee IS NULL AND ($7::text[] IS NULL OR d.queue = ANY ($7::text[]))
                     ORDER BY d.priority, d.ticket LIMIT 100) c
), pick AS (
    SELECT d.ticket FROM near JOIN desk d USING (ticket)
     WHERE d.state IN (0, 1, 7) AND d.assignee IS NULL
       AND NOT EXISTS (SELECT FROM k) AND NOT (SELECT key_taken FROM posted)
     ORDER BY near.priority, near.ticket LIMIT 1
       FOR NO KEY UPDATE OF d SKIP LOCKED
), u AS (
    UPDATE desk d
       SET version = d.version + 1,
           attempt = d.attempt + 1,
           owner = $4::bigint,
           wake_at = clock.at,
           rank = clock.at,
           updated_at = clock.at,
           failures = 0,
           state = ($5::smallint[])[d.state + 1],
           held = d.held | 4,
           lane = docket_class(d.priority),
           assignee = $6::text
      FROM pick, clock
     WHERE d.ticket = pick.ticket
    RETURNING d.ticket, d.version, d.attempt, d.priority
), e AS (
    INSERT INTO events (ticket, version, at, kind, role, actor, public, body)
    SELECT u.ticket, u.version, clock.at, 6, 0, $6::text, false, $8::bytea FROM u, clock
), kk AS (
    INSERT INTO keys (digest, content, request, at, ticket, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, u.ticket, u.version FROM u, clock
)
SELECT u.ticket, u.version, u.attempt, u.priority, t.customer, posted.key_taken,
       k.content AS key_content, k.request AS key_request, k.ticket AS key_ticket, clock.at
  FROM clock CROSS JOIN posted LEFT JOIN u ON true LEFT JOIN k ON true LEFT JOIN tickets t ON t.id = u.ticket
