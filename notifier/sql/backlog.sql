-- How much waits, counted up to 10,000, and for how long the oldest of these has; of the outbox to within a minute, for receipts come before others.
-- Of deliveries those are looked at that go next: when more wait, a receipt hides what came up to a quarter of an hour before it.
SELECT (SELECT count(*) FROM (SELECT FROM outbox WHERE state < 2 LIMIT 10000) x) AS outbox, d.count AS deliveries,
       greatest(0, docket_now() - coalesce((SELECT created_at FROM outbox WHERE state < 2 ORDER BY docket_tell_at(kind, created_at) LIMIT 1), docket_now())) AS outbox_age,
       greatest(0, docket_now() - coalesce(d.created_at, docket_now())) AS delivery_age
  FROM (SELECT count(*) AS count, min(created_at) AS created_at
          FROM (SELECT created_at FROM deliveries WHERE state < 2 ORDER BY next_at LIMIT 10000) x) d
