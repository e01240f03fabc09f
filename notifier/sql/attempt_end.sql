-- Attempts end: each its result, its delivery the new state. A delivery that another notifier took over meanwhile stays as it is. What
-- ended lets the next one of the same ticket and recipient go; what failed for good (or twice, a page) starts the recipient's
-- next channel (of ways that wait: none is needed once one got through); a customer's message that no channel is left for is told to staff.
--  $1 ids $2 tokens $3 attempts $4 results $5 replies $6 states $7 delays µs until the next attempt $8 reasons
--  $9 whether the recipient's next channel starts now  $10 µs the address is suppressed for, or NULL
--  $11 µs the address rests for, or 0  $12 of an endpoint: whether the attempt failed, else NULL  $13 µs after which an endpoint that only
--  failed is disabled: nothing is sent to it any more, and ops are told  $14 µs for that
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
given AS MATERIALIZED (
    SELECT u.*, d.channel, d.address
      FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::text[], $5::text[], $6::smallint[], $7::bigint[], $8::text[],
                         $9::boolean[], $10::bigint[], $11::bigint[], $12::boolean[])
               AS u(id, token, n, result, reply, state, delay, reason, others, suppress, rest, failed)
           LEFT JOIN LATERAL (SELECT d.channel, d.address FROM deliveries d WHERE d.id = u.id LIMIT 1) d ON u.failed IS NOT NULL
     ORDER BY u.id
), g AS MATERIALIZED (
    SELECT channel, address, bool_and(failed) AS failed, max(suppress) AS suppress, max(reply) AS reply, max(id) AS id
      FROM given
     WHERE channel IS NOT NULL
     GROUP BY channel, address
), z AS MATERIALIZED (
    SELECT g.channel, g.address, g.reply
      FROM g CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT t.failing_since FROM targets t WHERE t.channel = g.channel AND t.address = g.address LIMIT 1) t
     WHERE g.failed AND g.suppress IS NULL AND t.failing_since > 0 AND t.failing_since < clock.at - $13::bigint
), u AS MATERIALIZED (
    SELECT given.id, given.token, given.n, given.result, given.reply,
           CASE WHEN z.address IS NOT NULL AND given.state = 0 THEN 5 ELSE given.state END AS state, given.delay,
           CASE WHEN z.address IS NOT NULL AND given.state = 0 THEN 'the endpoint failed for days and is disabled' ELSE given.reason END AS reason,
           given.others OR z.address IS NOT NULL AS others, coalesce(given.suppress, CASE WHEN z.address IS NOT NULL THEN $14::bigint END) AS suppress,
           given.rest, given.failed
      FROM given LEFT JOIN z USING (channel, address)
), a AS (
    UPDATE attempts a SET ended_at = clock.at, result = u.result, reply = u.reply
      FROM u, clock
     WHERE a.delivery = u.id AND a.n = u.n
), d AS (
    UPDATE deliveries d
       SET state = u.state, next_at = clock.at + u.delay, ended_at = CASE WHEN u.state > 1 THEN clock.at END,
           reason = coalesce(u.reason, d.reason), reply = u.reply, token = NULL, lease_until = NULL,
           others = CASE WHEN u.others THEN NULL ELSE d.others END
      FROM u, clock
     WHERE d.id = u.id AND d.state = 1 AND d.token = u.token
    RETURNING d.*
), had AS MATERIALIZED (
    SELECT d.id, d.others FROM deliveries d JOIN u USING (id) WHERE u.others
), f AS (
    UPDATE deliveries f SET next_at = clock.at
      FROM d, clock
     WHERE d.state > 1 AND d.ticket <> 0 AND f.ticket = d.ticket AND f.channel = d.channel AND f.address = d.address AND f.state = 0
       AND f.attempts = 0 AND NOT f.digest AND f.next_at > clock.at
       AND NOT EXISTS (SELECT FROM z WHERE z.channel = f.channel AND z.address = f.address)
    RETURNING f.channel, f.address, f.next_at
), w AS (
    UPDATE deliveries w
       SET state = CASE WHEN d.state = 3 THEN 8 ELSE w.state END, next_at = CASE WHEN d.state = 3 THEN w.next_at ELSE least(w.next_at, clock.at) END,
           reason = CASE WHEN d.state = 3 THEN 'delivered over another channel' ELSE 'the channel before failed' END,
           ended_at = CASE WHEN d.state = 3 THEN clock.at END
      FROM d, clock
     WHERE w.ticket = d.ticket AND w.version = d.version AND w.audience = d.audience AND w.kind = d.kind AND w.generation = d.generation
       AND w.recipient = d.recipient AND w.id <> d.id AND w.state = 0 AND w.attempts = 0 AND w.way > 0
       AND (d.state = 3 OR w.way = d.way + 1 AND (d.state IN (4, 5) OR d.attempts >= 2))
    RETURNING w.channel, w.address, w.next_at, w.state
), p AS (
    UPDATE deliveries p SET state = 6, ended_at = clock.at, reason = 'the endpoint failed for days and is disabled'
      FROM z, clock
     WHERE p.channel = z.channel AND p.address = z.address AND p.state = 0
    RETURNING p.*, z.reply AS last_reply
), left_over AS MATERIALIZED (
    SELECT d.id, d.ticket, d.version, d.generation, d.audience, d.kind, d.created_at, d.channel, d.address, d.recipient, d.priority, had.others, d.state > 3 AS over,
           d.reply
      FROM d LEFT JOIN had USING (id)
    UNION ALL
    SELECT p.id, p.ticket, p.version, p.generation, p.audience, p.kind, p.created_at, p.channel, p.address, p.recipient, p.priority, p.others, true, p.last_reply
      FROM p
), n AS (
    INSERT INTO deliveries (ticket, version, generation, audience, created_at, next_at, kind, channel, recipient, address, priority, others, reason)
    SELECT o.ticket, o.version, o.generation, o.audience, o.created_at, clock.at, o.kind, o.others[1], o.recipient, o.others[2],
           o.priority, nullif(o.others[3:], '{}'), 'instead of delivery ' || o.id || ' over ' || o.channel
      FROM left_over o CROSS JOIN clock
     WHERE cardinality(o.others) >= 2
    ON CONFLICT DO NOTHING
), s AS (
    INSERT INTO outbox (ticket, version, generation, audience, kind, created_at, body)
    SELECT o.ticket, o.version, (o.id % 2147483647)::integer, 2, 'undelivered', clock.at, docket_undelivered_body(o.id, o.channel, o.address, o.kind, o.reply)
      FROM left_over o CROSS JOIN clock
     WHERE o.over AND o.audience = 1 AND coalesce(cardinality(o.others), 0) < 2
    ON CONFLICT DO NOTHING
), owner AS (
    INSERT INTO outbox (ticket, version, generation, audience, kind, created_at, body)
    SELECT 0, 0, (g.id % 2147483647)::integer, 2, 'endpoint_disabled', clock.at, docket_endpoint_body(g.address, g.reply)
      FROM g LEFT JOIN z USING (channel, address) CROSS JOIN clock
     WHERE g.suppress IS NOT NULL OR z.address IS NOT NULL
    ON CONFLICT DO NOTHING
), ops AS (
    INSERT INTO alerts (cause, kind, priority, opened_at, body)
    SELECT 'address:' || split_part(g.address, '?', 1), 'ops', 3, clock.at,
           'The endpoint ' || split_part(g.address, '?', 1) || CASE WHEN z.address IS NULL THEN ' says that it is gone' ELSE ' only failed for days' END ||
           ' and is disabled (' || left(g.reply, 200) || '). Its owner is told, if webhooks.yaml names one; docket notification retry tries it again.'
      FROM g LEFT JOIN z USING (channel, address) CROSS JOIN clock
     WHERE g.suppress IS NOT NULL OR z.address IS NOT NULL
    ON CONFLICT (cause) WHERE state < 2 DO NOTHING
)
INSERT INTO targets AS t (channel, address, ready_at, blocked_until, suppressed_until, reason, failing_since)
SELECT x.channel, x.address, min(x.next_at), coalesce(max(x.rest), 0), max(x.suppress), max(x.reply), max(x.failing)
  FROM (SELECT d.channel, d.address, CASE WHEN d.state = 0 THEN d.next_at END AS next_at, nullif(u.rest, 0) + clock.at AS rest,
               u.suppress + clock.at AS suppress, CASE WHEN u.suppress IS NOT NULL THEN u.reply END AS reply, NULL::bigint AS failing
          FROM d JOIN u USING (id) CROSS JOIN clock
         WHERE d.state = 0 OR u.suppress IS NOT NULL OR u.rest <> 0
        UNION ALL SELECT g.channel, g.address, NULL, NULL, NULL, NULL, CASE WHEN g.failed THEN clock.at ELSE 0 END FROM g, clock
        UNION ALL SELECT f.channel, f.address, f.next_at, NULL, NULL, NULL, NULL FROM f
        UNION ALL SELECT w.channel, w.address, w.next_at, NULL, NULL, NULL, NULL FROM w WHERE w.state = 0) x
 GROUP BY x.channel, x.address
 ORDER BY x.channel, x.address
ON CONFLICT (channel, address) DO UPDATE
   SET blocked_until = greatest(t.blocked_until, excluded.blocked_until),
       ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), greatest(t.blocked_until, excluded.blocked_until)),
       suppressed_until = coalesce(excluded.suppressed_until, t.suppressed_until),
       failing_since = CASE WHEN excluded.failing_since > 0 THEN coalesce(nullif(t.failing_since, 0), excluded.failing_since)
                            ELSE coalesce(excluded.failing_since, t.failing_since) END,
       reason = coalesce(excluded.reason, t.reason)
