-- All children have it.
--  $1 ticket  $2 version
DELETE FROM fanouts WHERE ticket = $1::bigint AND version = $2::integer
