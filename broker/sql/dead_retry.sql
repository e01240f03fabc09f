-- dead.retry: wakes dead letters again, owned by this broker.
--  $1 key digest  $2 content digest  $3 request  $4 ticket, NULL: all (at most 500 at a time)  $5 epoch
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (UPDATE keys SET at = clock.at FROM clock WHERE digest = $1::bytea RETURNING content, request, answer, version),
posted AS MATERIALIZED (SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($1::bytea) END AS key_taken),
pick AS (
    SELECT d.ticket FROM dead_letters l JOIN desk d USING (ticket), posted
     WHERE d.dead AND ($4::bigint IS NULL OR l.ticket = $4::bigint)
       AND NOT EXISTS (SELECT FROM k) AND NOT posted.key_taken
     ORDER BY d.ticket LIMIT 500
       FOR NO KEY UPDATE OF d SKIP LOCKED
), u AS (
    UPDATE desk d
       SET dead = false, failures = 0, attempt = d.attempt + 1, owner = $5::bigint, wake_at = clock.at, rank = clock.at,
           lane = docket_class(d.priority)
      FROM pick, clock
     WHERE d.ticket = pick.ticket
    RETURNING d.ticket, d.attempt, d.version, d.priority
), dl AS (
    DELETE FROM dead_letters USING u WHERE dead_letters.ticket = u.ticket
), kk AS (
    INSERT INTO keys (digest, content, request, at, version)
    SELECT $1::bytea, $2::bytea, $3::bigint, clock.at, (SELECT count(*) FROM u)::integer FROM clock
     WHERE EXISTS (SELECT FROM u)
)
SELECT u.ticket, u.attempt, u.version, u.priority, posted.key_taken, k.content AS key_content, k.request AS key_request,
       k.version AS key_version, clock.at
  FROM clock CROSS JOIN posted LEFT JOIN u ON true LEFT JOIN k ON true
