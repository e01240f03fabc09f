-- One message to one recipient.
--  $1 its number
SELECT id, ticket, kind, audience, channel, recipient, address, state, attempts, created_at, next_at, ended_at, message_id, reason, reply,
       bundle
  FROM deliveries
 WHERE id = $1::bigint
