-- ticket.find: is a posting with this key in, as a ticket or as an event of the one whose correlation it has? Written to itself, so that the
-- answer may be taken as proof.
--  $1 key digest
WITH t AS (
    UPDATE tickets SET content_digest = content_digest WHERE key_digest = $1::bytea RETURNING id, posted_at
), k AS (
    UPDATE keys SET request = request WHERE digest = $1::bytea RETURNING ticket, version
)
SELECT t.id, t.posted_at, false AS merged FROM t
UNION ALL
SELECT m.id, m.posted_at, true
  FROM k JOIN events e ON e.ticket = k.ticket AND e.version = k.version AND e.kind = 22 JOIN tickets m ON m.id = k.ticket
