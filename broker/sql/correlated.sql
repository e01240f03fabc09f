-- The ticket that a correlation was kept for is posted now, by the statement before: fails their transaction when somebody else was
-- given the row meanwhile.
--  $1 customer  $2 correlation  $3 token  $4 ticket
SELECT docket_correlated($1::text, $2::text, $3::bigint, $4::bigint)
