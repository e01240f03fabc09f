-- dead.list: wakes that were given up, oldest ticket first.
--  $1 only tickets after this one  $2 limit
SELECT ticket, at, attempt, failures, code, message, worker FROM dead_letters WHERE ticket > $1::bigint ORDER BY ticket LIMIT $2::integer
