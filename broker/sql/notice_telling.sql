-- Whether messages are held back, why, and how many wait (counted up to 10,000).
SELECT coalesce(t.held, false) AS held, t.reason, (SELECT count(*) FROM (SELECT FROM deliveries WHERE state < 2 LIMIT 10000) x) AS waiting
  FROM (SELECT) one LEFT JOIN telling t ON true
