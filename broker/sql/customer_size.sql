-- How many tickets a customer has, to choose how its events are read (read_events.c). Both ends of the range are the customer, and the order
-- is the index's: no other plan serves them.
--  $1 customer  $2 no more are counted
SELECT count(*)
  FROM (SELECT FROM tickets WHERE customer >= $1::text AND customer <= $1::text ORDER BY customer, id LIMIT $2::integer) x
