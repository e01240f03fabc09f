-- What was told of an alert; columns as in read_messages.
--  $1 alert
SELECT o.version, o.audience, o.kind, o.generation, o.state, o.created_at, o.reason,
       d.id AS delivery, d.channel, d.recipient, d.address, d.state AS delivery_state, d.attempts, d.next_at, d.ended_at,
       d.message_id, d.reason AS delivery_reason, d.reply,
       a.n, a.started_at, a.ended_at AS attempt_ended_at, a.result, a.reply AS attempt_reply
  FROM outbox o
  LEFT JOIN deliveries d USING (ticket, version, audience, kind, generation)
  LEFT JOIN attempts a ON a.delivery = d.id
 WHERE o.ticket = (SELECT coalesce(l.ticket, 0) FROM alerts l WHERE l.id = $1::bigint) AND o.alert = $1::bigint
 ORDER BY o.version, o.audience, o.kind, o.generation, d.id, a.n
 LIMIT 2000
