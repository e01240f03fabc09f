-- What was told about a ticket, to whom, how it went: a row an attempt, or a delivery without one, or a message without delivery.
--  $1 ticket
SELECT o.version, o.audience, o.kind, o.generation, o.state, o.created_at, o.reason,
       d.id AS delivery, d.channel, d.recipient, d.address, d.state AS delivery_state, d.attempts, d.next_at, d.ended_at,
       d.message_id, d.reason AS delivery_reason, d.reply,
       a.n, a.started_at, a.ended_at AS attempt_ended_at, a.result, a.reply AS attempt_reply
  FROM outbox o
  LEFT JOIN deliveries d USING (ticket, version, audience, kind, generation)
  LEFT JOIN attempts a ON a.delivery = d.id
 WHERE o.ticket = $1::bigint
 ORDER BY o.version, o.audience, o.kind, o.generation, d.id, a.n
 LIMIT 2000
