-- ticket.find: is a posting with this key in? Written to itself, so that the answer may be taken as proof.
--  $1 key digest
UPDATE tickets SET content_digest = content_digest
 WHERE key_digest = $1::bytea
RETURNING id, posted_at
