-- None is left of those that were to get this package.
--  $1 customer  $2 package
DELETE FROM moves WHERE customer = $1::text AND package = $2::text
