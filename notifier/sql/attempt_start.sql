-- Attempts begin: committed before the first byte goes out. What was rendered and the Message-ID stay for life. Gives those that are
-- still ours, with the attempt's number. An acknowledgement has withdrawn its pages in these same rows; no page begins once its alert is
-- resolved, nor one of several once none of them is open; that one is withdrawn here.
-- They are locked in order of their numbers, as who answers locks them.
--  $1 lease µs  $2 name of this notifier; $3 ids $4 tokens $5 message ids $6 rendered
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
l AS MATERIALIZED (
    SELECT d.id, d.token
      FROM (SELECT * FROM unnest($3::bigint[], $4::bigint[]) AS u(id, token) ORDER BY id) u CROSS JOIN LATERAL (
           SELECT d.id, d.token FROM deliveries d WHERE d.id = u.id AND d.token = u.token LIMIT 1 FOR NO KEY UPDATE OF d) d
), x AS (
    UPDATE deliveries d
       SET state = 8, reason = 'its alerts are acknowledged or resolved', ended_at = clock.at, token = NULL, lease_until = NULL
      FROM l, clock
     WHERE d.id = l.id AND d.state = 1 AND d.token = l.token AND d.kind = 'alerts'
       AND NOT EXISTS (SELECT FROM deliveries m JOIN alerts a ON a.id = m.alert WHERE m.bundle = d.id AND a.state = 0)
), d AS (
    UPDATE deliveries d
       SET attempts = d.attempts + 1, lease_until = clock.at + $1::bigint, next_at = clock.at + $1::bigint,
           message_id = coalesce(d.message_id, u.message_id), rendered = coalesce(d.rendered, u.rendered)
      FROM l JOIN unnest($3::bigint[], $5::text[], $6::bytea[]) AS u(id, message_id, rendered) USING (id) CROSS JOIN clock
     WHERE d.id = l.id AND d.state = 1 AND d.token = l.token
       AND NOT (d.alert IS NOT NULL AND d.kind = 'alert' AND EXISTS (SELECT FROM alerts a WHERE a.id = d.alert AND a.state = 2))
       AND (d.kind <> 'alerts' OR EXISTS (SELECT FROM deliveries m JOIN alerts a ON a.id = m.alert WHERE m.bundle = d.id AND a.state = 0))
    RETURNING d.id, d.attempts
)
INSERT INTO attempts (delivery, n, started_at, notifier)
SELECT d.id, d.attempts, clock.at, $2::text FROM d, clock
RETURNING delivery, n
