-- Claims wakes of one lane that nobody owns, in order of rank. A heap-only update: owner stands in no index.
--  $1 lane  $2 rank from (a lower bound)  $3 rank until  $4 how many  $5 epoch
WITH c AS MATERIALIZED (
    SELECT ctid AS place FROM desk
     WHERE lane = $1::smallint AND rank >= $2::bigint AND rank <= $3::bigint AND owner IS NULL
     ORDER BY rank LIMIT $4::integer
       FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE desk d SET owner = $5::bigint, attempt = d.attempt + 1
  FROM c WHERE d.ctid = c.place
RETURNING d.ticket, d.attempt, d.version, d.rank, d.wake_at, d.failures, d.priority
