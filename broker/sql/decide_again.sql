-- Decisions of tickets that have a desk row: guarded by owner, attempt and version as they were handed out. What people hold
-- by hand (held) is left alone. An id that does not come back is stale.
--  $1 tickets  $2 versions before  $3 attempts before  $4 versions after  $5 states (NULL: keep; new becomes triaged)
--  $6 which fields are set, a bit each as in held  $7 priorities  $8 wake_at  $9 owners after  $10 assignees  $11 queues
--  $12 kinds  $13 tags (array literals)  $14 clocks  $15 reply_pending (NULL: keep)  $16 epoch
--  events: $17 tickets  $18 versions  $19 kinds  $20 public  $21 bodies  $22 process
--  outbox: $23 tickets  $24 versions  $25 audiences  $26 kinds  $27 generations  $28 bodies
--  $29 due_at  $30 now, as the decision's work said  $31 the process by its hash, when the broker has not seen that version: then the database's own number of it counts, if it has one
-- A decision for an instant that the database's clock has not reached (it was set back) would be early: it is not written, and comes
-- back with that clock.
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
d AS (
    UPDATE desk d
       SET version = u.version_after,
           decided = u.version_after,
           attempt = d.attempt + 1,
           failures = 0,
           state = coalesce(u.state, CASE d.state WHEN 0 THEN 1 ELSE d.state END),
           priority = CASE WHEN u.fields & ~d.held & 1 <> 0 THEN u.priority ELSE d.priority END,
           lane = CASE WHEN u.wake_at IS NOT NULL THEN 5 + docket_class(CASE WHEN u.fields & ~d.held & 1 <> 0 THEN u.priority ELSE d.priority END) END,
           rank = CASE WHEN u.wake_at IS NOT NULL THEN greatest(u.wake_at, clock.at) END,
           wake_at = CASE WHEN u.wake_at IS NOT NULL THEN greatest(u.wake_at, clock.at) END,
           owner = u.owner,
           updated_at = CASE WHEN u.version_after > d.version THEN clock.at ELSE d.updated_at END,
           queue = CASE WHEN u.fields & ~d.held & 2 <> 0 THEN u.queue ELSE d.queue END,
           assignee = CASE WHEN u.fields & ~d.held & 4 <> 0 THEN u.assignee ELSE d.assignee END,
           tags = CASE WHEN u.fields & ~d.held & 8 <> 0 THEN u.tags::text[] ELSE d.tags END,
           kind = CASE WHEN u.fields & ~d.held & 32 <> 0 THEN u.kind ELSE d.kind END,
           reply_pending = coalesce(u.reply_pending, d.reply_pending),
           clocks = u.clocks,
           due_at = u.due_at
      FROM unnest($1::bigint[], $2::integer[], $3::integer[], $4::integer[], $5::smallint[], $6::smallint[], $7::smallint[],
                  $8::bigint[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::bytea[], $15::boolean[], $29::bigint[], $30::bigint[])
           AS u(ticket, version_before, attempt_before, version_after, state, fields, priority, wake_at, owner, assignee,
                queue, kind, tags, clocks, reply_pending, due_at, now_at), clock
     WHERE d.ticket = u.ticket AND d.owner = $16::bigint AND d.attempt = u.attempt_before AND d.version = u.version_before
       AND u.now_at <= clock.at
    RETURNING d.ticket, d.attempt
), e AS (
    INSERT INTO events (ticket, version, at, kind, public, process, body)
    SELECT x.ticket, x.version, clock.at, x.kind, x.public, coalesce(CASE WHEN $31::text IS NOT NULL THEN (SELECT max(l.n) FROM process_log l WHERE l.hash = $31::text) END, $22::integer), x.body
      FROM d JOIN unnest($17::bigint[], $18::integer[], $19::smallint[], $20::boolean[], $21::bytea[])
           AS x(ticket, version, kind, public, body) USING (ticket), clock
     ORDER BY x.ticket, x.version
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, generation, created_at, body)
    SELECT x.ticket, x.version, x.audience, x.kind, x.generation, clock.at, x.body
      FROM d JOIN unnest($23::bigint[], $24::integer[], $25::smallint[], $26::text[], $27::integer[], $28::bytea[])
           AS x(ticket, version, audience, kind, generation, body) USING (ticket), clock
)
SELECT ticket, NULL::bigint AS early_at FROM d
UNION ALL
SELECT u.ticket, clock.at FROM unnest($1::bigint[], $30::bigint[]) AS u(ticket, now_at), clock WHERE u.now_at > clock.at
