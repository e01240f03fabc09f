-- Decisions of tickets that have no desk row yet. The desk's primary key is the guard: an id that does not come back was
-- changed by somebody meanwhile, and nothing of its decision is written.
--  $1 tickets  $2 versions after  $3 states  $4 priorities  $5 lanes  $6 wake_at  $7 owners after (NULL: sleeps in the table)
--  $8 assignees  $9 queues  $10 kinds  $11 tags (array literals)  $12 clocks
--  events: $13 tickets  $14 versions  $15 kinds  $16 public  $17 bodies  $18 process
--  outbox: $19 tickets  $20 versions  $21 audiences  $22 kinds  $23 generations  $24 bodies
--  $25 due_at  $26 now, as the decision's work said: not later than the database's clock, as in decide_again
--  $27 the process by its hash, when the broker has not seen that version: then the database's own number of it counts, if it has one
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
d AS (
    INSERT INTO desk (ticket, version, decided, attempt, state, priority, lane, rank, wake_at, owner, updated_at, assignee,
                      queue, kind, tags, clocks, due_at)
    SELECT u.ticket, u.version, u.version, 2, u.state, u.priority, u.lane, CASE WHEN u.wake_at IS NOT NULL THEN greatest(u.wake_at, clock.at) END,
           CASE WHEN u.wake_at IS NOT NULL THEN greatest(u.wake_at, clock.at) END, u.owner, clock.at, u.assignee, u.queue, u.kind, u.tags::text[], u.clocks, u.due_at
      FROM unnest($1::bigint[], $2::integer[], $3::smallint[], $4::smallint[], $5::smallint[], $6::bigint[], $7::bigint[],
                  $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[], $25::bigint[], $26::bigint[])
           AS u(ticket, version, state, priority, lane, wake_at, owner, assignee, queue, kind, tags, clocks, due_at, now_at), clock
     WHERE u.now_at <= clock.at
    ON CONFLICT (ticket) DO NOTHING
    RETURNING ticket
), e AS (
    INSERT INTO events (ticket, version, at, kind, public, process, body)
    SELECT x.ticket, x.version, clock.at, x.kind, x.public, coalesce(CASE WHEN $27::text IS NOT NULL THEN (SELECT max(l.n) FROM process_log l WHERE l.hash = $27::text) END, $18::integer), x.body
      FROM d JOIN unnest($13::bigint[], $14::integer[], $15::smallint[], $16::boolean[], $17::bytea[])
           AS x(ticket, version, kind, public, body) USING (ticket), clock
     ORDER BY x.ticket, x.version
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, body)
    SELECT x.ticket, x.version, x.audience, x.kind, x.generation, clock.at, x.body
      FROM d JOIN unnest($19::bigint[], $20::integer[], $21::smallint[], $22::text[], $23::integer[], $24::bytea[])
           AS x(ticket, version, audience, kind, generation, body) USING (ticket), clock
)
SELECT ticket, NULL::bigint AS early_at FROM d
UNION ALL
SELECT u.ticket, clock.at FROM unnest($1::bigint[], $26::bigint[]) AS u(ticket, now_at), clock WHERE u.now_at > clock.at
