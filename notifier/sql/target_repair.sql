-- Once a session: addresses with deliveries that wait and whose queue does not know it (a notifier of an older version wrote them).
INSERT INTO targets AS t (channel, address, ready_at)
SELECT d.channel, d.address, min(d.next_at) FROM deliveries d WHERE d.state < 2 GROUP BY d.channel, d.address ORDER BY d.channel, d.address
ON CONFLICT (channel, address) DO UPDATE SET ready_at = docket_not_before(excluded.ready_at, t.blocked_until) WHERE t.ready_at IS NULL
