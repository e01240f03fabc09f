-- Triaged rows that were claimed together with their receipt: told inside it. After outbox_expand, in the same transaction.
--  $1 token; rows: $2 tickets $3 versions $4 generations
UPDATE outbox o
   SET state = 4, token = NULL, lease_until = NULL,
       reason = 'in delivery ' || (SELECT string_agg(d.id::text, ', ' ORDER BY d.id) FROM deliveries d
                                    WHERE d.ticket = o.ticket AND d.kind = 'received' AND d.audience = 1)
  FROM unnest($2::bigint[], $3::integer[], $4::integer[]) AS u(ticket, version, generation)
 WHERE o.ticket = u.ticket AND o.version = u.version AND o.audience = 1 AND o.kind = 'triaged' AND o.generation = u.generation
   AND o.state = 1 AND o.token = $1::bigint
