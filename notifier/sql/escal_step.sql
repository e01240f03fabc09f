-- One step and whom it tells, in the transaction of escal_advance and only if that was ours. The outbox row is written as told already.
--  $1 alert  $2 token  $3 what  $4 generation  $5 round  $6 level  $7 how many are told  $8 note  $9 kind  $10 audience  $11 body
--  deliveries: $12 channels  $13 recipients  $14 addresses  $15 µs from now (less than 0: before others)  $16 ways
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
a AS MATERIALIZED (SELECT id, coalesce(ticket, 0) AS ticket, priority FROM alerts WHERE id = $1::bigint AND stepped_by = $2::bigint),
s AS (
    INSERT INTO escalations (alert, what, generation, round, level, at, told, note)
    SELECT a.id, $3::smallint, $4::integer, $5::integer, $6::integer, clock.at, $7::integer, $8::text FROM a, clock
    ON CONFLICT DO NOTHING
    RETURNING id
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, generation, state, created_at, reason, alert, body)
    SELECT a.ticket, 0, $10::smallint, $9::text, (s.id & 2147483647)::integer, CASE WHEN $7::integer > 0 THEN 2 ELSE 3 END, clock.at,
           $8::text, a.id, $11::bytea
      FROM a, s, clock
    RETURNING ticket, version, audience, kind, generation
)
INSERT INTO deliveries (ticket, version, audience, kind, generation, created_at, next_at, channel, recipient, address, alert, way, priority)
SELECT o.ticket, o.version, o.audience, o.kind, o.generation, clock.at, clock.at + d.later, d.channel, d.recipient, d.address,
       $1::bigint, d.way, a.priority
  FROM o, a, clock, unnest($12::text[], $13::text[], $14::text[], $15::bigint[], $16::smallint[]) AS d(channel, recipient, address, later, way)
ON CONFLICT DO NOTHING
