-- Messages to people, newest first. Columns as in notice_show.
--  $1 states  $2 ticket, or NULL  $3 channel, or NULL  $4 address, or NULL  $5 only before this one, or NULL  $6 limit
SELECT id, ticket, kind, audience, channel, recipient, address, state, attempts, created_at, next_at, ended_at, message_id, reason, reply,
       bundle
  FROM deliveries
 WHERE state = ANY ($1::smallint[])
   AND ($2::bigint IS NULL OR ticket = $2::bigint)
   AND ($3::text IS NULL OR channel = $3::text)
   AND ($4::text IS NULL OR address = $4::text)
   AND ($5::bigint IS NULL OR id < $5::bigint)
 ORDER BY id DESC
 LIMIT $6::integer
