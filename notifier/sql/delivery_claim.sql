-- Leases deliveries of the addresses just locked, in the order in which things happened to a ticket: one waits while an earlier one to
-- the same recipient over the same channel, or an earlier row that nobody expanded yet, is still open. Alerts wait for nothing. A receipt
-- waits for a triaged row only that long that the row can join it. Behind one that is being sent just now it looks again in a second: its
-- end, which wakes those behind it, may have passed already, and its lease would be a minute. An attempt that began and never ended is unknown. Then each
-- address is ready again when the next of its deliveries is due.
-- What counts for the limit of its address is marked with when it was taken first (target_limit).
--  $1 mark  $2 channel  $3 token  $4 lease µs  $5 of one address, and of one host  $6 in all  $7 whether pages of P1 are joined, and count
--  $8 addresses and hosts that may get fewer now  $9 how many  $10 whether only pages of P1 go
WITH clock AS MATERIALIZED (SELECT docket_began() AS at),
q AS MATERIALIZED (SELECT t.address FROM targets t WHERE t.channel = $2::text AND t.ready_at = $1::bigint),
c AS MATERIALIZED (
    SELECT d.*
      FROM q CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT d.id, d.address, d.state AS was, d.next_at,
                  CASE WHEN d.kind = 'alert' OR d.ticket = 0 THEN NULL
                       WHEN EXISTS (SELECT FROM outbox o
                                     WHERE o.ticket = d.ticket AND o.version < d.version AND o.audience = d.audience AND o.state < 2
                                       AND o.kind <> 'alert')
                         OR d.kind = 'received' AND d.attempts = 0 AND d.reason IS NULL AND EXISTS (
                                    SELECT FROM outbox o
                                     WHERE o.ticket = d.ticket AND o.audience = 1 AND o.kind = 'triaged' AND o.state = 0)
                       THEN clock.at + 100000
                       ELSE (SELECT greatest(max(CASE e.state WHEN 0 THEN e.next_at END), clock.at + 1000000) FROM deliveries e
                              WHERE e.ticket = d.ticket AND (e.version < d.version OR e.version = d.version AND e.id < d.id)
                                AND e.channel = d.channel AND e.address = d.address AND e.state < 2 AND e.kind <> 'alert' AND NOT e.digest
                             HAVING count(*) > 0) END AS waits_until
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = q.address AND d.state < 2 AND d.next_at <= clock.at
              AND (d.state = 0 OR d.lease_until < clock.at) AND (NOT $10::boolean OR docket_is_p1(d.kind, d.alert, d.priority))
            ORDER BY d.next_at, d.id
            LIMIT $5::integer
              FOR UPDATE OF d SKIP LOCKED) d
), m AS MATERIALIZED (
    SELECT m.id
      FROM (SELECT c.id, c.address, c.next_at, h.host, row_number() OVER (PARTITION BY c.address ORDER BY c.next_at, c.id) AS of_address,
                   row_number() OVER (PARTITION BY h.host ORDER BY c.next_at, c.id) AS of_host
              FROM c CROSS JOIN LATERAL (SELECT docket_endpoint(c.address) AS host) h
             WHERE c.waits_until IS NULL) m
     WHERE m.of_address <= coalesce(($9::integer[])[array_position($8::text[], m.address)], $5::integer)
       AND m.of_host <= coalesce(($9::integer[])[array_position($8::text[], m.host)], $5::integer)
     ORDER BY m.next_at, m.id
     LIMIT $6::integer
), w AS (
    UPDATE deliveries d
       SET state = 1, token = $3::bigint, lease_until = clock.at + $4::bigint, next_at = clock.at + $4::bigint,
           counted_at = CASE WHEN d.attempts = 0 AND (d.kind = 'alerts' OR docket_is_limited(d.kind)
                                  AND ($7::boolean OR NOT docket_is_p1(d.kind, d.alert, d.priority)))
                             THEN clock.at ELSE d.counted_at END
      FROM m, clock
     WHERE d.id = m.id
    RETURNING d.id, d.ticket, d.version, d.generation, d.audience, d.attempts, d.created_at, d.kind, d.channel,
              d.recipient, d.address, d.message_id, d.rendered, d.reason, d.priority, d.alert, d.guest
), b AS (
    UPDATE deliveries d SET next_at = c.waits_until FROM c WHERE d.id = c.id AND c.waits_until IS NOT NULL
), x AS (
    UPDATE attempts a SET result = 'unknown', ended_at = clock.at
      FROM m JOIN c USING (id) CROSS JOIN clock
     WHERE c.was = 1 AND a.delivery = c.id AND a.result IS NULL
    RETURNING a.delivery
), t AS (
    UPDATE targets t
       SET ready_at = docket_not_before(least(
               (SELECT r.next_at FROM deliveries r
                 WHERE r.channel = $2::text AND r.address = t.address AND r.state = 0 AND r.id NOT IN (SELECT id FROM c)
                 ORDER BY r.next_at LIMIT 1),
               (SELECT min(coalesce(c.waits_until, clock.at)) FROM c WHERE c.address = t.address AND c.id NOT IN (SELECT id FROM m))), t.blocked_until)
      FROM q, clock
     WHERE t.channel = $2::text AND t.address = q.address
)
SELECT w.id, w.ticket, w.version, w.audience, w.attempts, w.created_at, w.kind, w.recipient, w.address, w.message_id,
       w.rendered, clock.at AS now, EXISTS (SELECT FROM x WHERE x.delivery = w.id) AS repeated,
       t.customer, t.title, t.posted_at, t.record, t.extra, coalesce(d.state, 0::smallint) AS state, d.priority, d.assignee, d.queue,
       o.body, m.body AS triaged, a.body AS alert, a.priority AS alert_priority,
       a.id AS alert_id, a.generation AS alert_generation, r.message_id AS root, p.message_id AS previous, w.priority AS told_priority,
       s.members, coalesce(e.bodies, '\xdc0001'::bytea || f.body) AS earlier,
       (SELECT count(*) FROM alerts i WHERE i.inhibited_by = a.id) AS inhibited, w.guest, t.problem,
       a.cause AS alert_cause, s.bodies AS member_bodies, k.body AS asked
  FROM w CROSS JOIN clock
       LEFT JOIN LATERAL (
           SELECT min(i.ticket) AS ticket,
                  json_agg(json_build_object('id', i.ticket, 'title', i.title, 'kind', i.kind, 'priority', i.priority, 'alert', i.alert, 'cause', i.cause,
                      'version', i.version, 'alert_id', i.alert_id, 'generation', i.generation) ORDER BY i.n)::text AS members,
                  -- What those that are shown say, as a list in the same order.
                  '\xdc'::bytea || int2send((count(*) FILTER (WHERE i.n <= 10))::smallint)
                      || string_agg(CASE WHEN octet_length(i.body) <= 32768 THEN i.body ELSE '\xc0' END, ''::bytea ORDER BY i.n) FILTER (WHERE i.n <= 10) AS bodies
             FROM (SELECT -- What waits for an answer of the customer is among those that are shown.
                          row_number() OVER (ORDER BY w.audience = 1 AND m.kind = 'waiting' DESC, coalesce(a.priority, d.priority), a.id, m.id) AS n,
                          CASE WHEN w.kind = 'digest' THEN coalesce(k.body, o.body) END AS body, a.cause, m.ticket, coalesce(am.title, t.title) AS title, m.kind, coalesce(a.priority, d.priority) AS priority, a.body AS alert, m.version,
                          a.id AS alert_id, a.generation
                     FROM deliveries m LEFT JOIN tickets t ON t.id = m.ticket LEFT JOIN amendments am ON am.ticket = m.ticket
                          LEFT JOIN desk d ON d.ticket = m.ticket
                          LEFT JOIN outbox o ON o.ticket = m.ticket AND o.version = m.version AND o.audience = m.audience
                                AND o.kind = m.kind AND o.generation = m.generation
                          LEFT JOIN outbox k ON k.ticket = m.ticket AND k.version = m.version AND k.audience = 1 AND k.kind = 'asked' AND k.state = 4
                                AND k.generation = 0 AND m.kind = 'triaged' AND m.audience = 1
                          LEFT JOIN alerts a ON a.id = o.alert
                    WHERE m.bundle = w.id AND w.kind IN ('receipts', 'digest', 'alerts')
                      AND (w.kind <> 'alerts' OR a.state = 0 AND NOT EXISTS (
                               SELECT FROM deliveries e WHERE e.bundle = w.id AND e.alert = m.alert AND e.id < m.id))
                   ) i) s
              ON w.rendered IS NULL AND w.kind IN ('receipts', 'digest', 'alerts')
       LEFT JOIN LATERAL (
           SELECT '\xdc'::bytea || int2send(count(*)::smallint) || string_agg(o.body, ''::bytea ORDER BY m.version, m.id) AS bodies
             FROM (SELECT m.* FROM deliveries m WHERE m.bundle = w.id AND w.ticket <> 0 OFFSET 0) m CROSS JOIN LATERAL (
                  SELECT o.body FROM outbox o
                   WHERE o.ticket = m.ticket AND o.version = m.version AND o.audience = m.audience AND o.kind = m.kind AND o.generation = m.generation
                     AND o.body IS NOT NULL
                   LIMIT 1) o
           HAVING count(*) > 0) e
              ON w.rendered IS NULL AND w.ticket <> 0
       -- Who is asked again for approval reads what was asked first.
       LEFT JOIN LATERAL (SELECT f.body FROM outbox f
                           WHERE f.ticket = w.ticket AND f.version < w.version AND f.audience = 1 AND f.kind = 'approval_asked'
                             AND f.generation = 0
                           ORDER BY f.version DESC LIMIT 1) f ON w.rendered IS NULL AND w.kind = 'approval_asked' AND w.generation > 0
       LEFT JOIN LATERAL (SELECT t.customer, coalesce(am.title, t.title) AS title, t.posted_at, cu.record, t.extra,
                                 CASE WHEN w.audience <> 1 THEN substr(t.problem, 1, 2048) END AS problem
                            FROM tickets t LEFT JOIN amendments am ON am.ticket = t.id LEFT JOIN customers cu ON cu.id = t.customer
                           WHERE t.id = CASE w.ticket WHEN 0 THEN s.ticket ELSE w.ticket END LIMIT 1) t ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT d.state, d.priority, d.assignee, d.queue FROM desk d WHERE d.ticket = w.ticket LIMIT 1) d
              ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT o.body, o.alert FROM outbox o
                           WHERE o.ticket = w.ticket AND o.version = w.version AND o.audience = w.audience AND o.kind = w.kind
                             AND o.generation = w.generation LIMIT 1) o ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT o.version, o.body FROM outbox o
                           WHERE o.ticket = w.ticket AND o.audience = 1 AND o.kind = 'triaged' AND o.state = 4
                           ORDER BY o.version LIMIT 1) m ON w.rendered IS NULL AND w.kind = 'received'
       LEFT JOIN LATERAL (SELECT o.body FROM outbox o
                           WHERE o.ticket = w.ticket AND o.version = CASE w.kind WHEN 'received' THEN m.version ELSE w.version END
                             AND o.audience = 1 AND o.kind = 'asked' AND o.state = 4
                           ORDER BY o.generation LIMIT 1) k ON w.rendered IS NULL AND w.kind IN ('received', 'triaged')
       LEFT JOIN LATERAL (SELECT a.id, a.body, a.priority, a.generation, a.cause FROM alerts a WHERE a.id = coalesce(w.alert, o.alert) LIMIT 1) a ON true
       LEFT JOIN LATERAL (SELECT r.message_id FROM deliveries r
                           WHERE r.ticket = w.ticket AND w.ticket <> 0 AND r.channel = w.channel AND r.address = w.address
                             AND r.message_id IS NOT NULL AND r.id <> w.id
                           ORDER BY r.version, r.id LIMIT 1) r ON w.rendered IS NULL
       LEFT JOIN LATERAL (SELECT p.message_id FROM deliveries p
                           WHERE p.ticket = w.ticket AND w.ticket <> 0 AND p.channel = w.channel AND p.address = w.address
                             AND p.message_id IS NOT NULL AND p.id <> w.id
                           ORDER BY p.version DESC, p.id DESC LIMIT 1) p ON w.rendered IS NULL
 ORDER BY w.created_at, w.id
