-- Leases deliveries that are due, in the order in which things happened to a ticket: one waits while an earlier one to the same
-- recipient over the same channel, or an earlier row that nobody expanded yet, is still open. Alerts wait for nothing. A receipt
-- waits for a triaged row only that long that the row can join it. An attempt that began and never ended is unknown.
--  $1 token  $2 lease µs  $3 limit  $4 channel  $5 addresses that hold their share of its slots
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
c AS MATERIALIZED (
    SELECT d.id, d.state AS was
      FROM deliveries d, clock
     WHERE d.state < 2 AND d.next_at <= clock.at AND (d.state = 0 OR d.lease_until < clock.at) AND d.channel = $4::text
       AND d.address <> ALL ($5::text[])
       AND (d.kind = 'alert' OR d.ticket = 0 OR NOT (
               EXISTS (SELECT FROM deliveries e
                        WHERE e.ticket = d.ticket AND (e.version < d.version OR e.version = d.version AND e.id < d.id)
                          AND e.channel = d.channel AND e.address = d.address AND e.state < 2 AND e.kind <> 'alert')
            OR EXISTS (SELECT FROM outbox o
                        WHERE o.ticket = d.ticket AND o.version < d.version AND o.audience = d.audience AND o.state < 2
                          AND o.kind <> 'alert')
            OR d.kind = 'received' AND d.attempts = 0 AND d.reason IS NULL AND EXISTS (
                       SELECT FROM outbox o
                        WHERE o.ticket = d.ticket AND o.audience = 1 AND o.kind = 'triaged' AND o.state = 0)))
     ORDER BY d.next_at
     LIMIT $3::integer
       FOR UPDATE OF d SKIP LOCKED
), w AS (
    UPDATE deliveries d
       SET state = 1, token = $1::bigint, lease_until = clock.at + $2::bigint
      FROM c, clock
     WHERE d.id = c.id
    RETURNING d.id, d.ticket, d.version, d.generation, d.audience, d.attempts, d.created_at, d.next_at, d.kind, d.channel,
              d.recipient, d.address, d.message_id, d.rendered, d.reason, d.alert
), x AS (
    UPDATE attempts a SET result = 'unknown', ended_at = clock.at
      FROM c, clock
     WHERE c.was = 1 AND a.delivery = c.id AND a.result IS NULL
    RETURNING a.delivery
)
SELECT w.id, w.ticket, w.version, w.audience, w.attempts, w.created_at, w.kind, w.recipient, w.address, w.message_id,
       w.rendered, clock.at AS now, EXISTS (SELECT FROM x WHERE x.delivery = w.id) AS repeated,
       t.customer, t.title, t.posted_at, t.record, t.extra, coalesce(d.state, 0::smallint) AS state, d.priority, d.assignee, d.queue,
       o.body, m.body AS triaged, a.body AS alert, a.priority AS alert_priority,
       a.id AS alert_id, a.generation AS alert_generation, r.message_id AS root, p.message_id AS previous
  FROM w CROSS JOIN clock
       LEFT JOIN LATERAL (SELECT t.customer, coalesce(am.title, t.title) AS title, t.posted_at, cu.record, t.extra
                            FROM tickets t LEFT JOIN amendments am ON am.ticket = t.id LEFT JOIN customers cu ON cu.id = t.customer
                           WHERE t.id = w.ticket LIMIT 1) t ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT d.state, d.priority, d.assignee, d.queue FROM desk d WHERE d.ticket = w.ticket LIMIT 1) d
              ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT o.body, o.alert FROM outbox o
                           WHERE o.ticket = w.ticket AND o.version = w.version AND o.audience = w.audience AND o.kind = w.kind
                             AND o.generation = w.generation LIMIT 1) o ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT o.body FROM outbox o
                           WHERE o.ticket = w.ticket AND o.audience = 1 AND o.kind = 'triaged' AND o.state = 4
                           ORDER BY o.version LIMIT 1) m ON w.rendered IS NULL AND w.reason = 'with triaged'
       LEFT JOIN LATERAL (SELECT a.id, a.body, a.priority, a.generation FROM alerts a WHERE a.id = coalesce(w.alert, o.alert) LIMIT 1) a ON true
       LEFT JOIN LATERAL (SELECT r.message_id FROM deliveries r
                           WHERE r.ticket = w.ticket AND w.ticket <> 0 AND r.channel = w.channel AND r.address = w.address
                             AND r.message_id IS NOT NULL AND r.id <> w.id
                           ORDER BY r.version, r.id LIMIT 1) r ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT p.message_id FROM deliveries p
                           WHERE p.ticket = w.ticket AND w.ticket <> 0 AND p.channel = w.channel AND p.address = w.address
                             AND p.message_id IS NOT NULL AND p.id <> w.id
                           ORDER BY p.version DESC, p.id DESC LIMIT 1) p ON w.rendered IS NULL
 ORDER BY w.next_at
