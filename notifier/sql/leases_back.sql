-- A notifier asks for its name: the lock lives as long as its session, so whoever gets it is the only one. What was started under that name
-- before this process began was in flight when its predecessor died: its leases end now, and it goes again as what it is, unknown.
--  $1 name  $2 when this process began, or 0: now
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
l AS MATERIALIZED (SELECT pg_try_advisory_lock(hashtextextended('docket-notifier ' || $1::text, 0)) AS is_ours),
x AS MATERIALIZED (
    SELECT d.id
      FROM l, clock, deliveries d
     WHERE l.is_ours AND d.state = 1
       AND EXISTS (SELECT FROM attempts a
                    WHERE a.delivery = d.id AND a.n = d.attempts AND a.result IS NULL AND a.notifier = $1::text
                      AND a.started_at < coalesce(nullif($2::bigint, 0), clock.at))
       FOR UPDATE OF d SKIP LOCKED
), d AS (
    UPDATE deliveries d SET lease_until = clock.at - 1, next_at = clock.at FROM x, clock WHERE d.id = x.id
    RETURNING d.channel, d.address
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT d.channel, d.address, min(clock.at) FROM d, clock GROUP BY d.channel, d.address ORDER BY d.channel, d.address
    ON CONFLICT (channel, address) DO UPDATE SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
)
SELECT l.is_ours, clock.at, (SELECT count(*) FROM d) FROM l, clock
