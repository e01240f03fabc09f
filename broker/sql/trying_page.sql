-- The next tickets that a version of the process is tried on, in order of their ids.
--  $1 after this id  $2 closed ones too  $3 how many
SELECT ticket FROM desk
 WHERE ticket > $1::bigint AND ($2::boolean OR state <> 6) AND priority IS NOT NULL
 ORDER BY ticket LIMIT $3::integer
