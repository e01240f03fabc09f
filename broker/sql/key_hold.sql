-- A key of an op for many tickets, written before anything is changed; its content as it was used first.
--  $1 key digest  $2 content digest
INSERT INTO keys AS was (digest, content, request, at) VALUES ($1::bytea, $2::bytea, 0, docket_now())
ON CONFLICT (digest) DO UPDATE SET at = excluded.at
RETURNING was.content, EXISTS (SELECT FROM tickets WHERE key_digest = $1::bytea) AS key_taken
