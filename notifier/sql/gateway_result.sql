-- What became of a call that the gateway took: kept with its delivery. One that nobody took has failed, and the recipient's next way starts
-- though it was withdrawn when the gateway took this one. It may be said before the gateway's own answer is written, or when that was lost.
-- Said twice, it changes nothing more. Gives who was called about which alert, and which time it was opened then, so that a key pressed late
-- does not answer one that was opened again; of a call that several were joined into all that are open.
--  $1 deliveries.id  $2 result  $3 whether somebody was reached
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
d AS (
    UPDATE deliveries d
       SET reply = $2::text, state = CASE WHEN $3::boolean THEN d.state ELSE 4 END,
           reason = CASE WHEN $3::boolean THEN d.reason ELSE 'the call reached nobody: ' || $2::text END,
           ended_at = CASE WHEN $3::boolean THEN d.ended_at ELSE docket_now() END,
           token = CASE WHEN $3::boolean THEN d.token END, lease_until = CASE WHEN $3::boolean THEN d.lease_until END
     WHERE d.id = $1::bigint AND d.channel IN ('phone', 'sms') AND (d.state = 3 OR NOT $3::boolean AND d.state < 2 AND d.attempts > 0)
    RETURNING d.*
), w AS (
    UPDATE deliveries w
       SET state = 0, next_at = clock.at, ended_at = NULL, reason = 'the channel before failed'
      FROM d, clock
     WHERE NOT $3::boolean AND w.ticket = d.ticket AND w.version = d.version AND w.audience = d.audience AND w.kind = d.kind
       AND w.generation = d.generation AND w.recipient = d.recipient AND w.id <> d.id AND w.attempts = 0 AND w.way = d.way + 1
       AND (w.state = 0 OR w.state = 8 AND w.reason = 'delivered over another channel')
       AND EXISTS (SELECT FROM alerts a WHERE a.id = d.alert AND a.state = 0)
    RETURNING w.channel, w.address, w.next_at
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT w.channel, w.address, w.next_at FROM w
    ON CONFLICT (channel, address) DO UPDATE
       SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
)
SELECT r.address, r.recipient, coalesce(a.id, 0) AS alert, coalesce(a.told_in, a.generation, 0) AS generation, coalesce(a.ticket, 0) AS ticket
  FROM deliveries r
       LEFT JOIN LATERAL (
           SELECT a.id, a.generation, a.ticket,
                  (SELECT e.generation FROM escalations e WHERE e.alert = a.id AND (e.id & 2147483647)::integer = r.generation LIMIT 1) AS told_in
             FROM alerts a WHERE a.id = r.alert
           UNION ALL
           SELECT a.id, a.generation, NULL,
                  (SELECT max(e.generation) FROM escalations e JOIN deliveries m ON m.bundle = r.id AND m.alert = a.id
                    WHERE e.alert = a.id AND (e.id & 2147483647)::integer = m.generation)
             FROM alerts a
            WHERE r.kind = 'alerts' AND a.state = 0 AND a.id IN (SELECT m.alert FROM deliveries m WHERE m.bundle = r.id)) a ON true
 WHERE r.id = $1::bigint AND r.channel IN ('phone', 'sms')
 ORDER BY a.id
