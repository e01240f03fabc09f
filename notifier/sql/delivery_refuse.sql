-- Deliveries that cannot be sent at all (their address is none): failed, without an attempt.
--  $1 ids $2 tokens $3 reasons
UPDATE deliveries d
   SET state = 4, reason = u.reason, ended_at = docket_now(), token = NULL, lease_until = NULL
  FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS u(id, token, reason)
 WHERE d.id = u.id AND d.state = 1 AND d.token = u.token
