-- Ends the claim of outbox rows: told (2, with deliveries) or suppressed (3, with the reason). Only rows that are still ours.
-- next_at is also the order in which deliveries are claimed: a head start lets alerts and receipts overtake a backlog.
--  $1 token; rows: $2 tickets $3 versions $4 audiences $5 kinds $6 generations $7 states $8 reasons
--  deliveries: $9 row (index from 1) $10 channels $11 recipients $12 addresses $13 head starts µs $14 reasons
WITH o AS (
    UPDATE outbox o
       SET state = u.state, reason = u.reason, token = NULL, lease_until = NULL
      FROM unnest($2::bigint[], $3::integer[], $4::smallint[], $5::text[], $6::integer[], $7::smallint[], $8::text[])
           WITH ORDINALITY AS u(ticket, version, audience, kind, generation, state, reason, ord)
     WHERE o.ticket = u.ticket AND o.version = u.version AND o.audience = u.audience AND o.kind = u.kind
       AND o.generation = u.generation AND o.state = 1 AND o.token = $1::bigint
    RETURNING u.ord, o.ticket, o.version, o.audience, o.kind, o.generation, o.created_at
)
INSERT INTO deliveries (ticket, version, generation, audience, kind, created_at, next_at, channel, recipient, address, reason)
SELECT o.ticket, o.version, o.generation, o.audience, o.kind, o.created_at, o.created_at - d.head_start, d.channel, d.recipient,
       d.address, d.reason
  FROM unnest($9::integer[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[])
       AS d(ord, channel, recipient, address, head_start, reason)
       JOIN o USING (ord)
 ORDER BY o.created_at, o.ticket, o.version
ON CONFLICT DO NOTHING
