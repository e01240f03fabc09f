-- Deliveries that cannot be sent at all (their address is none): failed, without an attempt. The recipient's next channel starts; a customer's message
-- that none is left for is told to staff.
--  $1 ids $2 tokens $3 reasons
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
d AS (
    UPDATE deliveries d
       SET state = 4, reason = u.reason, ended_at = clock.at, token = NULL, lease_until = NULL
      FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u(id, token, reason), clock
     WHERE d.id = u.id AND d.state = 1 AND d.token = u.token
    RETURNING d.*
), w AS (
    UPDATE deliveries w SET next_at = least(w.next_at, clock.at), reason = 'the channel before failed'
      FROM d, clock
     WHERE d.alert IS NOT NULL AND w.ticket = d.ticket AND w.version = d.version AND w.audience = d.audience AND w.kind = d.kind
       AND w.generation = d.generation AND w.recipient = d.recipient AND w.id <> d.id AND w.state = 0 AND w.attempts = 0 AND w.way = d.way + 1
    RETURNING w.channel, w.address, w.next_at
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT w.channel, w.address, min(w.next_at) FROM w GROUP BY w.channel, w.address ORDER BY w.channel, w.address
    ON CONFLICT (channel, address) DO UPDATE SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
), n AS (
    INSERT INTO deliveries (ticket, version, generation, audience, created_at, next_at, kind, channel, recipient, address, priority, others, reason)
    SELECT d.ticket, d.version, d.generation, d.audience, d.created_at, clock.at, d.kind, d.others[1], d.recipient, d.others[2],
           d.priority, nullif(d.others[3:], '{}'), 'instead of delivery ' || d.id || ' over ' || d.channel
      FROM d CROSS JOIN clock
     WHERE cardinality(d.others) >= 2
    ON CONFLICT DO NOTHING
)
INSERT INTO outbox (ticket, version, generation, audience, kind, created_at, body)
SELECT d.ticket, d.version, (d.id % 2147483647)::integer, 2, 'undelivered', clock.at, docket_undelivered_body(d.id, d.channel, d.address, d.kind, d.reason)
  FROM d CROSS JOIN clock
 WHERE d.audience = 1 AND coalesce(cardinality(d.others), 0) < 2
ON CONFLICT DO NOTHING
