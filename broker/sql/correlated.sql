-- The ticket that a correlation was kept for is posted now.
--  $1 customer  $2 correlation  $3 token  $4 ticket
UPDATE correlations SET ticket = $4::bigint
 WHERE customer = $1::text AND correlation = $2::text AND token = $3::bigint AND ticket = 0
