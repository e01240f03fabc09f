-- Wakes of a dead epoch belong to nobody again; the ordinary claims find them.
--  $1 dead epoch  $2 how many
UPDATE desk d SET owner = NULL, attempt = d.attempt + 1
  FROM (SELECT ticket FROM desk
         WHERE lane = ANY ('{0,1,2,3,4,5,6,7,8,9}'::smallint[]) AND rank <= docket_now() + 3600000000 AND owner = $1::bigint
         LIMIT $2::integer
           FOR NO KEY UPDATE SKIP LOCKED) x
 WHERE d.ticket = x.ticket AND d.owner = $1::bigint
RETURNING d.ticket
