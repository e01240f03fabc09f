-- customer.get, customer.list: records by id, a page at a time. By address: records that hold it somewhere, in any case; who asks looks at
-- the contacts. A record is MessagePack, whose texts stand in it as they are; "escape" writes what is ASCII as it is.
--  $1 exactly this id, or NULL  $2 only ids after this one  $3 package or NULL  $4 limit  $5 an address, or NULL
SELECT id, record FROM customers
 WHERE ($1::text IS NULL OR id = $1::text) AND id > $2::text AND ($3::text IS NULL OR package = $3::text)
   AND ($5::text IS NULL OR position(lower($5::text) IN lower(encode(record, 'escape'))) > 0)
 ORDER BY id LIMIT $4::integer
