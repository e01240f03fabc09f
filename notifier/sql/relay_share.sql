-- This notifier uses a relay whose rate it shares, and learns with how many: itself among them, and all that said so in the last three seconds.
--  $1 its run  $2 relay  $3 channel, given back
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
n AS (
    INSERT INTO relay_senders (run, relay, beat_at) SELECT $1::bigint, $2::text, clock.at FROM clock
    ON CONFLICT (run) DO UPDATE SET relay = excluded.relay, beat_at = excluded.beat_at
), gone AS (
    DELETE FROM relay_senders s
     WHERE s.run IN (SELECT g.run FROM relay_senders g, clock WHERE abs(g.beat_at - clock.at) > 60000000 AND g.run <> $1::bigint FOR UPDATE OF g SKIP LOCKED)
)
SELECT $3::integer, 1 + count(*) FROM relay_senders s, clock
 WHERE s.relay = $2::text AND s.run <> $1::bigint AND abs(s.beat_at - clock.at) < 3000000
