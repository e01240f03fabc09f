-- Addresses whose deliveries were leased by a notifier that is gone are ready again.
WITH clock AS MATERIALIZED (SELECT docket_now() AS at)
INSERT INTO targets AS t (channel, address, ready_at)
SELECT d.channel, d.address, clock.at
  FROM (SELECT channel, address FROM deliveries WHERE state = 1 AND lease_until < docket_now() ORDER BY lease_until LIMIT 1000) d, clock
 GROUP BY d.channel, d.address, clock.at
 ORDER BY d.channel, d.address
ON CONFLICT (channel, address) DO UPDATE
   SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
