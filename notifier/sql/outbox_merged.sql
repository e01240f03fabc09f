-- Rows that were claimed together with the message they are told in: triaged ones in their receipt, what a decision asks where its priority
-- is told. After outbox_expand, in the same transaction.
--  $1 token; rows: $2 tickets $3 versions $4 kinds $5 generations
UPDATE outbox o
   SET state = 4, token = NULL, lease_until = NULL,
       reason = 'in delivery ' || coalesce((SELECT string_agg(d.id::text, ', ' ORDER BY d.id) FROM deliveries d
                                             WHERE d.ticket = o.ticket AND d.version = o.version AND d.kind = 'triaged' AND d.audience = 1),
                                           (SELECT string_agg(d.id::text, ', ' ORDER BY d.id) FROM deliveries d
                                             WHERE d.ticket = o.ticket AND d.kind = 'received' AND d.audience = 1))
  FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::integer[]) AS u(ticket, version, kind, generation)
 WHERE o.ticket = u.ticket AND o.version = u.version AND o.audience = 1 AND o.kind = u.kind AND o.generation = u.generation
   AND o.state = 1 AND o.token = $1::bigint
