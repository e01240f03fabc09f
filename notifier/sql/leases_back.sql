-- A notifier asks for its name: the lock lives as long as its session, so whoever gets it is the only one. What was started under that name
-- before this process began was in flight when its predecessor died: its leases end now, and it goes again as what it is, unknown. So do
-- the leases of what it had claimed and not begun: messages, rows of the outbox (they stand at the head of it) and steps of alerts; whose they
-- are the upper half of their tokens tells.
--  $1 name  $2 when this process began, or 0: now  $3 upper half of its tokens  $4 µs that a claim lasts  $5 µs that a step's lease lasts
WITH clock AS MATERIALIZED (SELECT now.at, coalesce(nullif($2::bigint, 0), now.at) AS since_at FROM (SELECT docket_now() AS at) now),
l AS MATERIALIZED (SELECT pg_try_advisory_lock(hashtextextended('docket-notifier ' || $1::text, 0)) AS is_ours),
x AS MATERIALIZED (
    SELECT d.id
      FROM l, clock, deliveries d
     WHERE l.is_ours AND d.state = 1
       AND (EXISTS (SELECT FROM attempts a
                     WHERE a.delivery = d.id AND a.n = d.attempts AND a.result IS NULL AND a.notifier = $1::text AND a.started_at < clock.since_at)
            OR d.token >> 32 = $3::bigint AND d.lease_until < clock.since_at + $4::bigint
               AND NOT EXISTS (SELECT FROM attempts a WHERE a.delivery = d.id AND a.n = d.attempts AND a.result IS NULL))
       FOR UPDATE OF d SKIP LOCKED
), d AS (
    UPDATE deliveries d SET lease_until = clock.at - 1, next_at = clock.at FROM x, clock WHERE d.id = x.id
    RETURNING d.channel, d.address
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT d.channel, d.address, min(clock.at) FROM d, clock GROUP BY d.channel, d.address ORDER BY d.channel, d.address
    ON CONFLICT (channel, address) DO UPDATE SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
), n AS MATERIALIZED (
    SELECT o.ticket, o.version, o.audience, o.kind, o.generation
      FROM l, clock, outbox o,
           (SELECT h.ticket, h.version, h.audience, h.kind, h.generation FROM outbox h
             WHERE h.state < 2 ORDER BY docket_tell_at(h.kind, h.created_at) LIMIT 10000) h
     WHERE l.is_ours AND o.ticket = h.ticket AND o.version = h.version AND o.audience = h.audience AND o.kind = h.kind AND o.generation = h.generation
       AND o.state = 1 AND o.token >> 32 = $3::bigint AND o.lease_until < clock.since_at + $4::bigint
       FOR UPDATE OF o SKIP LOCKED
), o AS (
    UPDATE outbox o SET lease_until = clock.at - 1
      FROM n, clock
     WHERE o.ticket = n.ticket AND o.version = n.version AND o.audience = n.audience AND o.kind = n.kind AND o.generation = n.generation
    RETURNING 1
), s AS MATERIALIZED (
    SELECT a.id
      FROM l, clock, alerts a
     WHERE l.is_ours AND a.next_at IS NOT NULL AND a.token >> 32 = $3::bigint AND a.lease_until < clock.since_at + $5::bigint
       FOR UPDATE OF a SKIP LOCKED
), a AS (
    UPDATE alerts a SET lease_until = NULL FROM s WHERE a.id = s.id
    RETURNING 1
)
SELECT l.is_ours, clock.at, (SELECT count(*) FROM d), (SELECT count(*) FROM o), (SELECT count(*) FROM a) FROM l, clock
