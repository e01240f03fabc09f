-- Several messages of one address become one: receipts when more than so many wait, and what was held back, once the first of it is due:
-- what was held back up to five seconds after it goes with it; of pages of P1 all that was held back. The members are merged (7) into a new
-- delivery that lists them. What was asked in a receipt is no line of such a list: it becomes a message of its own again. That of pages is about no alert of its own: it is over when all of its members' are.
--  $1 mark  $2 channel  $3 receipts that may go alone  $4 pause before the summary µs
WITH clock AS MATERIALIZED (SELECT docket_began() AS at),
q AS MATERIALIZED (SELECT t.address FROM targets t WHERE t.channel = $2::text AND t.ready_at = $1::bigint),
d AS MATERIALIZED (
    SELECT d.id, d.audience, d.recipient, q.address, d.kind, d.priority,
           d.next_at <= clock.at AS due
      FROM q CROSS JOIN clock CROSS JOIN LATERAL (
           SELECT d.id, d.audience, d.recipient, d.priority, d.next_at,
                  CASE WHEN NOT d.digest THEN 'receipts' WHEN d.kind = 'alert' AND docket_is_p1(d.kind, d.alert, d.priority) THEN 'alerts' ELSE 'digest' END AS kind
             FROM deliveries d
            WHERE d.channel = $2::text AND d.address = q.address AND d.state = 0 AND d.next_at <= clock.at + greatest($4::bigint, 5000000) AND d.attempts = 0
              AND CASE WHEN d.digest THEN d.next_at <= clock.at + 5000000 OR d.kind = 'alert' AND docket_is_p1(d.kind, d.alert, d.priority)
                       ELSE d.kind = 'received' AND d.next_at <= clock.at END
            ORDER BY d.next_at
            LIMIT 500
              FOR UPDATE OF d SKIP LOCKED) d
), b AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('deliveries', 'id')) AS id, d.address, d.audience, d.kind, min(d.recipient) AS recipient,
           (min(d.id) % 2147483647)::integer AS generation, min(d.priority) AS priority
      FROM d
     GROUP BY d.address, d.audience, d.kind
    HAVING count(*) > CASE d.kind WHEN 'receipts' THEN $3::integer ELSE 1 END AND bool_or(d.due)
), k AS (
    UPDATE outbox o SET state = 0, reason = NULL
      FROM d JOIN b USING (address, audience, kind) JOIN deliveries r ON r.id = d.id
     WHERE d.kind = 'receipts' AND o.ticket = r.ticket AND o.audience = 1 AND o.kind = 'asked' AND o.state = 4
       AND NOT EXISTS (SELECT FROM deliveries p WHERE p.ticket = o.ticket AND p.version = o.version AND p.kind = 'triaged' AND p.audience = 1)
), o AS (
    INSERT INTO outbox (ticket, version, generation, audience, state, created_at, kind)
    SELECT 0, 0, b.generation, b.audience, 2, clock.at, b.kind FROM b, clock
), n AS (
    INSERT INTO deliveries (id, ticket, version, generation, audience, created_at, next_at, kind, channel, recipient, address, priority)
    OVERRIDING SYSTEM VALUE
    SELECT b.id, 0, 0, b.generation, b.audience, clock.at, clock.at - 60000000, b.kind, $2::text, b.recipient, b.address, b.priority
      FROM b, clock
)
UPDATE deliveries x
   SET state = 7, bundle = b.id, ended_at = clock.at, reason = 'in delivery ' || b.id
  FROM d JOIN b USING (address, audience, kind) CROSS JOIN clock
 WHERE x.id = d.id
