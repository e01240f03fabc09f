-- Triaged rows just claimed join their receipt where it was expanded but not begun: all its deliveries are pending and unattempted.
-- What the same decision asks joins too. It goes now: all it had still waited for has come. Gives the rows that were merged; the others
-- are expanded on their own.
--  $1 token of the claim  $2 whether questions may be told there
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
o AS MATERIALIZED (
    SELECT o.ticket, o.version, o.generation FROM outbox o
     WHERE o.state = 1 AND o.token = $1::bigint AND o.kind = 'triaged' AND o.audience = 1
), r AS MATERIALIZED (
    SELECT d.id, d.ticket FROM deliveries d JOIN o USING (ticket)
     WHERE d.kind = 'received' AND d.audience = 1 AND d.state = 0 AND d.attempts = 0
       FOR UPDATE OF d SKIP LOCKED
), m AS MATERIALIZED (
    SELECT r.ticket, string_agg(r.id::text, ', ' ORDER BY r.id) AS ids
      FROM r
     GROUP BY r.ticket
    HAVING count(*) = (SELECT count(*) FROM deliveries d WHERE d.ticket = r.ticket AND d.kind = 'received' AND d.audience = 1)
), d AS (
    UPDATE deliveries d SET reason = 'with triaged', next_at = least(d.next_at, clock.at) FROM r JOIN m USING (ticket) CROSS JOIN clock WHERE d.id = r.id
    RETURNING d.channel, d.address, d.next_at
), t AS (
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT d.channel, d.address, min(d.next_at) FROM d GROUP BY d.channel, d.address ORDER BY d.channel, d.address
    ON CONFLICT (channel, address) DO UPDATE SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until)
)
UPDATE outbox x
   SET state = 4, reason = 'in delivery ' || m.ids, token = NULL, lease_until = NULL
  FROM o JOIN m USING (ticket)
 WHERE x.ticket = o.ticket AND x.version = o.version AND x.audience = 1 AND x.state = 1 AND x.token = $1::bigint
   AND (x.kind = 'triaged' AND x.generation = o.generation OR x.kind = 'asked' AND $2::boolean)
RETURNING x.ticket, x.version, x.kind, x.generation
