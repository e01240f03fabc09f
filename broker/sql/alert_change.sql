-- alert.ack, alert.unack, alert.resolve: the row of the alert decides. Acknowledging again is an answer to a reminder; what is resolved
-- stays so. A notifier looks at it at once.
--  $1 key digest  $2 content digest  $3 request  $4 alert  $5 0 ack, 1 unack, 2 resolve  $6 actor  $7 generation it is for, or NULL
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, version),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
old AS MATERIALIZED (SELECT id, state, generation, ticket, acked_by FROM alerts WHERE id = $4::bigint),
u AS (
    UPDATE alerts a
       SET state = CASE $5::smallint WHEN 0 THEN 1 WHEN 1 THEN 0 ELSE 2 END,
           acked_at = CASE $5::smallint WHEN 0 THEN clock.at WHEN 1 THEN NULL ELSE acked_at END,
           acked_by = CASE $5::smallint WHEN 0 THEN $6::text WHEN 1 THEN NULL ELSE acked_by END,
           resolved_at = CASE $5::smallint WHEN 2 THEN clock.at END,
           resolved_by = CASE $5::smallint WHEN 2 THEN $6::text END,
           generation = a.generation + CASE $5::smallint WHEN 1 THEN 1 ELSE 0 END,
           since_at = CASE $5::smallint WHEN 1 THEN clock.at ELSE since_at END,
           stepped_at = CASE $5::smallint WHEN 1 THEN NULL ELSE stepped_at END,
           round = CASE $5::smallint WHEN 1 THEN 0 ELSE round END,
           level = CASE $5::smallint WHEN 1 THEN 0 ELSE level END,
           reminders = CASE $5::smallint WHEN 1 THEN 0 ELSE reminders END,
           reminded_at = CASE $5::smallint WHEN 2 THEN reminded_at END,
           next_at = 0, token = NULL, lease_until = NULL
      FROM clock, posted
     WHERE a.id = $4::bigint
       AND CASE $5::smallint WHEN 1 THEN a.state = 1 ELSE a.state < 2 END
       AND ($7::integer IS NULL OR a.generation = $7::integer)
       AND NOT EXISTS (SELECT FROM k)
       AND NOT posted.key_taken
    RETURNING a.id, a.generation, a.ticket
), kk AS (
    INSERT INTO keys (digest, content, request, at, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, u.generation FROM u, clock
)
SELECT u.id IS NOT NULL AS changed, old.id IS NOT NULL AS is_there, old.state AS old_state, old.generation AS old_generation,
       coalesce(u.generation, k.version, old.generation) AS generation, old.ticket, old.acked_by,
       posted.key_taken, k.content AS key_content, k.request AS key_request
  FROM clock CROSS JOIN posted LEFT JOIN old ON true LEFT JOIN u ON true LEFT JOIN k ON true
