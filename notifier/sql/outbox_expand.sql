-- Ends the claim of outbox rows: told (2, with deliveries) or suppressed (3, with the reason; a mute counts what is suppressed by it). Only rows that are still ours.
-- next_at is also the order in which deliveries are claimed: a head start lets alerts and receipts overtake a backlog. An address that
-- does not work gets none: the delivery is there as suppressed (6), and the recipient's next channel is used; a customer who
-- has none left is told of to staff, once a day for a ticket.
--  $1 token; rows: $2 tickets $3 versions $4 audiences $5 kinds $6 generations $7 states $8 reasons
--  deliveries: $9 row (index from 1) $10 channels $11 recipients $12 addresses $13 head starts µs $14 reasons
--  $15 other ways: channel, address, …, split by U+001F, or NULL  $16 not before, or NULL; then it goes with others as a digest  $17 priorities
--  $18 whether it is a guest of a meeting
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
o AS (
    UPDATE outbox o
       SET state = u.state, reason = u.reason, token = NULL, lease_until = NULL
      FROM unnest($2::bigint[], $3::integer[], $4::smallint[], $5::text[], $6::integer[], $7::smallint[], $8::text[])
           WITH ORDINALITY AS u(ticket, version, audience, kind, generation, state, reason, ord)
     WHERE o.ticket = u.ticket AND o.version = u.version AND o.audience = u.audience AND o.kind = u.kind
       AND o.generation = u.generation AND o.state = 1 AND o.token = $1::bigint
    RETURNING u.ord, o.ticket, o.version, o.audience, o.kind, o.generation, o.created_at, u.reason
), m AS MATERIALIZED (
    SELECT m.id, x.n
      FROM mutes m JOIN (SELECT substring(o.reason FROM '^muted by mute ([0-9]+)$')::bigint AS id, count(*)::integer AS n
                           FROM o WHERE starts_with(o.reason, 'muted by mute ') GROUP BY 1) x USING (id)
     ORDER BY m.id
       FOR UPDATE OF m
), c AS (
    UPDATE mutes SET messages = mutes.messages + m.n FROM m WHERE mutes.id = m.id
), d AS MATERIALIZED (
    SELECT d.ord, w.*, d.recipient, d.head_start, d.reason, d.priority, d.not_before, d.guest
      FROM unnest($9::integer[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::text[], $16::bigint[], $17::smallint[], $18::boolean[])
           AS d(ord, channel, recipient, address, head_start, reason, others, not_before, priority, guest)
           CROSS JOIN LATERAL (
           SELECT d.channel, d.address, string_to_array(d.others, U&'\001F') AS others, t.suppressed_until, t.reason AS dead
             FROM (SELECT) one LEFT JOIN targets t ON t.channel = d.channel AND t.address = d.address
                  AND t.suppressed_until > (SELECT at FROM clock)) w
), ways AS MATERIALIZED (
    SELECT d.ord, d.channel, d.address, d.others, d.recipient, d.head_start, d.reason, d.priority, d.not_before,
           d.suppressed_until, d.dead, d.guest
      FROM d
    UNION ALL
    SELECT d.ord, d.others[1], d.others[2], nullif(d.others[3:], '{}'), d.recipient, d.head_start,
           'the address over ' || d.channel || ' does not work', d.priority, d.not_before, NULL, NULL, d.guest
      FROM d
     WHERE d.suppressed_until IS NOT NULL AND cardinality(d.others) >= 2
), n AS (
    INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, reason, state,
                            ended_at, others, digest, priority, guest)
    SELECT o.ticket, o.version, o.generation, o.audience, o.kind, o.created_at, coalesce(w.not_before, o.created_at - w.head_start),
           w.channel, w.recipient, w.address,
           CASE WHEN w.suppressed_until IS NOT NULL THEN 'the address does not work: ' || coalesce(w.dead, '') ELSE w.reason END,
           CASE WHEN w.suppressed_until IS NOT NULL THEN 6 ELSE 0 END, CASE WHEN w.suppressed_until IS NOT NULL THEN clock.at END,
           CASE WHEN w.suppressed_until IS NULL THEN w.others END, w.not_before IS NOT NULL, w.priority, w.guest
      FROM ways w JOIN o USING (ord) CROSS JOIN clock
     ORDER BY o.created_at, o.ticket, o.version
    ON CONFLICT DO NOTHING
    RETURNING *
)
INSERT INTO outbox (ticket, version, generation, audience, kind, created_at, body)
SELECT DISTINCT ON (n.ticket) n.ticket, n.version, (n.id % 2147483647)::integer, 2, 'undelivered', clock.at,
       docket_undelivered_body(n.id, n.channel, n.address, n.kind, n.reason)
  FROM n CROSS JOIN clock
 WHERE n.state = 6 AND n.audience = 1
   AND NOT EXISTS (SELECT FROM n x WHERE x.ticket = n.ticket AND x.version = n.version AND x.kind = n.kind AND x.recipient = n.recipient AND x.state = 0)
   AND NOT EXISTS (SELECT FROM outbox u WHERE u.ticket = n.ticket AND u.audience = 2 AND u.kind = 'undelivered' AND u.created_at > clock.at - 86400000000)
 ORDER BY n.ticket, n.id
ON CONFLICT DO NOTHING
