-- notification.bounced: what had been handed over came back. The delivery has failed; the recipient's next channel starts; an address that
-- does not exist (5.1.x) gets nothing for 60 days; when it is one of ours, ops are alerted.
--  $1 key digest  $2 content digest  $3 request  $4 deliveries.id  $5 status of RFC 3463  $6 words, or NULL
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request),
go AS MATERIALIZED (
    SELECT EXISTS (SELECT FROM tickets WHERE key_digest = $1::bytea) AS key_taken,
           NOT EXISTS (SELECT FROM tickets WHERE key_digest = $1::bytea) AND NOT EXISTS (SELECT FROM k) AS go
), old AS MATERIALIZED (SELECT d.state, d.others FROM deliveries d WHERE d.id = $4::bigint AND d.channel = 'email'),
d AS (
    UPDATE deliveries d
       SET state = 4, reason = 'bounced: ' || $5::text, reply = left($6::text, 1024), ended_at = clock.at, others = NULL
      FROM go, clock
     WHERE go.go AND d.id = $4::bigint AND d.channel = 'email' AND d.state IN (2, 3)
    RETURNING d.*
), w AS (
    UPDATE deliveries w
       SET state = 0, next_at = clock.at, ended_at = NULL, reason = 'the channel before failed'
      FROM d, clock
     WHERE d.alert IS NOT NULL AND w.ticket = d.ticket AND w.version = d.version AND w.audience = d.audience AND w.kind = d.kind
       AND w.generation = d.generation AND w.recipient = d.recipient AND w.id <> d.id AND w.attempts = 0 AND w.way = d.way + 1
       AND (w.state = 0 OR w.state = 8 AND w.reason = 'delivered over another channel')
       AND EXISTS (SELECT FROM alerts a WHERE a.id = d.alert AND a.state = 0)
    RETURNING w.channel, w.address, w.next_at
), n AS (
    INSERT INTO deliveries (ticket, version, generation, audience, created_at, next_at, kind, channel, recipient, address, priority, others, reason)
    SELECT d.ticket, d.version, d.generation, d.audience, d.created_at, clock.at, d.kind, old.others[1], d.recipient, old.others[2],
           d.priority, nullif(old.others[3:], '{}'), 'instead of delivery ' || d.id || ' over ' || d.channel
      FROM d, old, clock
     WHERE cardinality(old.others) >= 2
    ON CONFLICT DO NOTHING
    RETURNING channel, address, next_at
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at, suppressed_until, reason)
    SELECT x.channel, x.address, min(x.next_at), max(x.suppressed_until), max(x.reason)
      FROM (SELECT w.channel, w.address, w.next_at, NULL::bigint AS suppressed_until, NULL::text AS reason FROM w
            UNION ALL SELECT n.channel, n.address, n.next_at, NULL, NULL FROM n
            UNION ALL SELECT d.channel, d.address, NULL, clock.at + 60 * 86400000000, 'bounced: ' || $5::text
                        FROM d, clock WHERE $5::text LIKE '5.1.%') x
     GROUP BY x.channel, x.address
     ORDER BY x.channel, x.address
    ON CONFLICT (channel, address) DO UPDATE
       SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until),
           suppressed_until = coalesce(excluded.suppressed_until, t.suppressed_until), reason = coalesce(excluded.reason, t.reason)
), a AS (
    INSERT INTO alerts (cause, kind, priority, opened_at, body)
    SELECT 'address:' || d.address, 'ops', 2, clock.at,
           'Mail to ' || d.recipient || ' at ' || d.address || ' comes back (' || $5::text || '): pages go over other channels. Mend staff.yaml.'
      FROM d, clock
     WHERE d.audience > 1 AND $5::text LIKE '5.1.%'
    ON CONFLICT (cause) WHERE state < 2 DO NOTHING
), kk AS (
    INSERT INTO keys (digest, content, request, at)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at FROM clock, go WHERE go.go AND EXISTS (SELECT FROM old)
)
SELECT go.key_taken, old.state, k.content AS key_content, k.request AS key_request
  FROM go LEFT JOIN old ON true LEFT JOIN k ON true
