-- Leases what is to be told, receipts before what came a minute before them, else oldest first, and gives what is needed to find out whom. A triaged row whose receipt is just being
-- expanded by another notifier is left for the next look, so that both can become one message. What a decision asks is leased with the
-- priority that it gave, by the same notifier, whatever the limit: they become one message too.
--  $1 token  $2 lease µs  $3 limit
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
c AS MATERIALIZED (
    SELECT o.ticket, o.version, o.audience, o.kind, o.generation
      FROM outbox o, clock
     WHERE o.state < 2 AND (o.state = 0 OR o.lease_until < clock.at)
       AND NOT (o.kind = 'asked' AND EXISTS (
           SELECT FROM outbox p
            WHERE p.ticket = o.ticket AND p.version = o.version AND p.audience = o.audience AND p.kind = 'triaged' AND p.state < 2))
       AND NOT (o.kind = 'triaged' AND EXISTS (
           SELECT FROM outbox r
            WHERE r.ticket = o.ticket AND r.version = 1 AND r.audience = 1 AND r.kind = 'received' AND r.generation = 0
              AND r.state = 1 AND r.lease_until >= clock.at))
     ORDER BY docket_tell_at(o.kind, o.created_at)
     LIMIT $3::integer
       FOR UPDATE OF o SKIP LOCKED
), a AS MATERIALIZED (
    SELECT o.ticket, o.version, o.audience, o.kind, o.generation
      FROM c JOIN outbox o ON o.ticket = c.ticket AND o.version = c.version AND o.audience = c.audience AND o.kind = 'asked', clock
     WHERE c.kind = 'triaged' AND (o.state = 0 OR o.state = 1 AND o.lease_until < clock.at)
       FOR UPDATE OF o SKIP LOCKED
), w AS (
    UPDATE outbox o
       SET state = 1, token = $1::bigint, lease_until = clock.at + $2::bigint
      FROM (TABLE c UNION ALL TABLE a) c, clock
     WHERE o.ticket = c.ticket AND o.version = c.version AND o.audience = c.audience AND o.kind = c.kind
       AND o.generation = c.generation
    RETURNING o.ticket, o.version, o.audience, o.kind, o.generation, o.created_at, o.alert, clock.at AS now,
              CASE WHEN o.kind IN ('meeting', 'endpoint_disabled') THEN o.body END AS body
)
SELECT w.ticket, w.version, w.audience, w.kind, w.generation, t.extra, t.record, coalesce(a.priority, d.priority) AS priority, t.customer, w.now,
       d.assignee, d.queue,
       CASE WHEN w.audience > 1 AND w.kind NOT IN ('inhibited', 'mute_ended', 'undelivered')
            THEN docket_mute_of(w.now, w.ticket, w.kind, coalesce(a.priority, d.priority)) END AS mute, w.body, t.package
  FROM w
       LEFT JOIN LATERAL (SELECT t.extra, t.customer, t.package, cu.record FROM tickets t LEFT JOIN customers cu ON cu.id = t.customer
                           WHERE t.id = w.ticket LIMIT 1) t ON true
       LEFT JOIN LATERAL (SELECT d.priority, d.assignee, d.queue FROM desk d WHERE d.ticket = w.ticket LIMIT 1) d ON true
       LEFT JOIN LATERAL (SELECT a.priority FROM alerts a WHERE a.id = w.alert LIMIT 1) a ON true
 ORDER BY w.created_at, w.ticket, w.version, w.generation
