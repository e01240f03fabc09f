-- customer.get, customer.list: records by id, a page at a time.
--  $1 exactly this id, or NULL  $2 only ids after this one  $3 package or NULL  $4 limit
SELECT id, record FROM customers
 WHERE ($1::text IS NULL OR id = $1::text) AND id > $2::text AND ($3::text IS NULL OR package = $3::text)
 ORDER BY id LIMIT $4::integer
