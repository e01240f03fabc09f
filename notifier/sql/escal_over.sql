-- It is over: whoever had been told hears so, over the quietest way they were told by. In the
-- transaction of escal_advance and only if that was ours.
--  $1 alert  $2 token  $3 generation  $4 kind  $5 audience  $6 body
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
a AS MATERIALIZED (SELECT id, coalesce(ticket, 0) AS ticket FROM alerts WHERE id = $1::bigint AND stepped_by = $2::bigint),
t AS MATERIALIZED (
    SELECT DISTINCT ON (d.recipient) d.channel, d.recipient, d.address
      FROM deliveries d JOIN a ON d.alert = a.id
     WHERE d.attempts > 0
     ORDER BY d.recipient, array_position(ARRAY['email', 'xmpp', 'webhook', 'sms', 'phone'], d.channel), d.id
), s AS (
    INSERT INTO escalations (alert, what, generation, round, level, at, told)
    SELECT a.id, 3, $3::integer, 0, 0, clock.at, (SELECT count(*) FROM t)::integer FROM a, clock
    ON CONFLICT DO NOTHING
    RETURNING id
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, generation, state, created_at, alert, body)
    SELECT a.ticket, 0, $5::smallint, $4::text, (s.id & 2147483647)::integer, 2, clock.at, a.id, $6::bytea FROM a, s, clock
    RETURNING ticket, version, audience, kind, generation
)
INSERT INTO deliveries (ticket, version, audience, kind, generation, created_at, next_at, channel, recipient, address, alert)
SELECT o.ticket, o.version, o.audience, o.kind, o.generation, clock.at, clock.at, t.channel, t.recipient, t.address, $1::bigint
  FROM o, t, clock
ON CONFLICT DO NOTHING
