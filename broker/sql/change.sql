-- One change of one ticket: state by the table given, event, outbox, key. The desk row is there and locked (ensure, lock).
-- One row comes back always; what was done stands in "changed".
--  $1 ticket  $2 key digest  $3 content digest  $4 request  $5 epoch
--  $6 next state for each state, -1: refused  $7 event kind  $8 role  $9 actor  $10 public  $11 event body
--  $12 bits of held to set  $13 priority or NULL  $14 assignee: 0 keep, 1 set, 2 clear  $15 assignee
--  $16 queue: 0 keep, 1 set  $17 queue  $18 tags: 0 keep, 1 set  $19 tags  $20 reply_pending (true: of a resolved one only) or NULL  $21 if_version or NULL
--  $22 outbox kind or NULL  $23 outbox body  $24 amended title  $25 equipment  $26 configuration  $27 attributes
--  $28 link to, or NULL  $29 as_link  $30 the customer is told by this other ticket's message, or NULL  $31 goes to children too
--  $32 meeting or NULL  $33 it is a new one  $34 cancelled  $35 medium  $36 at  $37 duration  $38 where  $39 attendees
--  $40 packages that have such meetings, NULL: all  $41 package it is moved to, or NULL  $42 task that is done, or NULL
--  $43 a closed ticket takes it only within this time (µs) after its closing; NULL: always
--  $44 meeting that is answered, or NULL  $45 by whom  $46 how: kept when it was sent to that address
--  $47 the meeting's reminder (s), NULL: as the process says  $48 the meeting's version that the change is made from, NULL: it is new
--  $49 an instant that must be still to come, NULL: none
--  $50 title  $51 queue  $52 tags that must be those of the ticket: they have not the form of new ones; NULL: none such
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
k AS (
    UPDATE keys SET at = clock.at FROM clock WHERE digest = $2::bytea
    RETURNING content, request, ticket, version
), posted AS MATERIALIZED (
    SELECT CASE WHEN EXISTS (SELECT FROM k) THEN false ELSE docket_key_posted($2::bytea) END AS key_taken,
           ($28::bigint IS NULL OR EXISTS (SELECT FROM tickets WHERE id = $28::bigint)) AS link_is,
           -- One level: a child has no children, and the parent is no child.
           (coalesce($29::text, '') <> 'child' OR
            NOT EXISTS (SELECT FROM links WHERE to_id = $1::bigint AND as_link = 'child') AND
            NOT EXISTS (SELECT FROM links WHERE ticket = $28::bigint AND as_link = 'child')) AS link_may,
           ($32::text IS NULL OR $33::boolean OR
            EXISTS (SELECT FROM meetings WHERE ticket = $1::bigint AND meeting = $32::text AND NOT cancelled)) AS meeting_is,
           ($48::integer IS NULL OR
            EXISTS (SELECT FROM meetings WHERE ticket = $1::bigint AND meeting = $32::text AND version = $48::integer)) AS meeting_same,
           ($40::text[] IS NULL OR
            EXISTS (SELECT FROM tickets WHERE id = $1::bigint AND package = ANY ($40::text[]))) AND
           -- Two brokers may be moving a customer's tickets at the same time: each is moved once.
           ($41::text IS NULL OR EXISTS (SELECT FROM tickets WHERE id = $1::bigint AND package IS DISTINCT FROM $41::text)) AS package_may,
           ($42::integer IS NULL OR EXISTS (SELECT FROM tasks WHERE ticket = $1::bigint AND version = $42::integer
                                               AND done_version IS NULL)) AS task_is,
           ($43::bigint IS NULL OR (SELECT d.state FROM desk d WHERE d.ticket = $1::bigint) <> 6 OR
            (SELECT max(e.at) FROM events e WHERE e.ticket = $1::bigint AND e.kind IN (3, 17, 20))
            >= (SELECT at FROM clock) - $43::bigint) AS in_time,
           ($49::bigint IS NULL OR $49::bigint > (SELECT at FROM clock)) AS to_come,
           ($50::text IS NULL OR $50::text = (SELECT coalesce(a.title, t.title) FROM tickets t LEFT JOIN amendments a ON a.ticket = t.id
                                               WHERE t.id = $1::bigint)) IS TRUE AS title_same,
           ($51::text IS NULL OR $51::text = (SELECT d.queue FROM desk d WHERE d.ticket = $1::bigint)) IS TRUE AS queue_same,
           ($52::text[] IS NULL OR $52::text[] <@ (SELECT d.tags FROM desk d WHERE d.ticket = $1::bigint)) IS TRUE AS tags_same
), old AS MATERIALIZED (SELECT * FROM desk WHERE ticket = $1::bigint),
u AS (
    UPDATE desk d
       SET version = d.version + 1,
           attempt = d.attempt + 1,
           owner = $5::bigint,
           wake_at = clock.at,
           rank = clock.at,
           updated_at = clock.at,
           failures = 0,
           dead = false,
           state = ($6::smallint[])[d.state + 1],
           held = d.held | $12::smallint,
           priority = coalesce($13::smallint, d.priority),
           lane = docket_class(coalesce($13::smallint, d.priority)),
           assignee = CASE $14::smallint WHEN 1 THEN $15::text WHEN 2 THEN NULL ELSE d.assignee END,
           queue = CASE $16::smallint WHEN 1 THEN $17::text ELSE d.queue END,
           tags = CASE $18::smallint WHEN 1 THEN $19::text[] ELSE d.tags END,
           reply_pending = CASE WHEN $20::boolean THEN d.state = 5 ELSE coalesce($20::boolean, d.reply_pending) END
      FROM clock, posted
     WHERE d.ticket = $1::bigint
       AND ($6::smallint[])[d.state + 1] >= 0
       AND ($21::integer IS NULL OR d.version = $21::integer)
       AND NOT EXISTS (SELECT FROM k)
       AND NOT posted.key_taken AND posted.link_is AND posted.link_may AND posted.meeting_is AND posted.meeting_same AND posted.package_may AND posted.task_is AND posted.in_time AND posted.to_come AND posted.title_same AND posted.queue_same AND posted.tags_same
    RETURNING d.ticket, d.version, d.attempt, d.state, d.priority
), e AS (
    INSERT INTO events (ticket, version, at, kind, role, actor, public, body)
    SELECT u.ticket, u.version, clock.at, $7::smallint, $8::smallint, $9::text, $10::boolean, $11::bytea FROM u, clock
), o AS (
    INSERT INTO outbox (ticket, version, audience, kind, created_at, body, state, reason)
    SELECT u.ticket, u.version, 1, $22::text, clock.at, $23::bytea,
           CASE WHEN $30::text IS NULL THEN 0 ELSE 4 END, 'told by ' || $30::text
      FROM u, clock WHERE $22::text IS NOT NULL
), a AS (
    INSERT INTO amendments AS was (ticket, title, equipment, configuration, attributes)
    SELECT u.ticket, $24::text, $25::bytea, $26::bytea, $27::bytea FROM u
     WHERE coalesce($24::text, '') <> '' OR $25::bytea IS NOT NULL OR $26::bytea IS NOT NULL OR $27::bytea IS NOT NULL
    ON CONFLICT (ticket) DO UPDATE
       SET title = coalesce(excluded.title, was.title),
           equipment = coalesce(excluded.equipment, was.equipment),
           configuration = coalesce(excluded.configuration, was.configuration),
           attributes = coalesce(excluded.attributes, was.attributes)
), l AS (
    INSERT INTO links (ticket, to_id, as_link, at)
    SELECT u.ticket, $28::bigint, $29::text, clock.at FROM u, clock WHERE $28::bigint IS NOT NULL
    ON CONFLICT DO NOTHING
), f AS (
    INSERT INTO fanouts (ticket, version, epoch)
    SELECT u.ticket, u.version, $5::bigint FROM u
     WHERE $31::boolean AND EXISTS (SELECT FROM links l WHERE l.to_id = u.ticket AND l.as_link = 'child')
    RETURNING ticket
), m AS (
    INSERT INTO meetings AS was (ticket, meeting, version, cancelled, medium, at, duration_s, place, attendees, reminder_s)
    SELECT u.ticket, $32::text, u.version, $34::boolean, $35::text, $36::bigint, $37::bigint, $38::text, $39::text[], $47::bigint FROM u
     WHERE $32::text IS NOT NULL
    ON CONFLICT (ticket, meeting) DO UPDATE
       SET version = excluded.version, cancelled = excluded.cancelled, medium = excluded.medium, at = excluded.at,
           duration_s = excluded.duration_s, place = excluded.place, attendees = excluded.attendees,
           reminder_s = excluded.reminder_s
), ma AS (
    INSERT INTO meeting_answers AS was (ticket, meeting, attendee, answer, version, at)
    SELECT u.ticket, m.meeting, a.attendee, $46::text, u.version, clock.at
      FROM u CROSS JOIN clock JOIN meetings m ON m.ticket = u.ticket AND m.meeting = $44::text
           CROSS JOIN LATERAL (SELECT x.attendee FROM unnest(m.attendees) x(attendee) WHERE lower(x.attendee) = lower($45::text) LIMIT 1) a
    ON CONFLICT (ticket, meeting, attendee) DO UPDATE SET answer = excluded.answer, version = excluded.version, at = excluded.at
), tp AS (
    UPDATE tickets SET package = $41::text, posted_package = coalesce(posted_package, package, '') FROM u WHERE tickets.id = u.ticket AND $41::text IS NOT NULL
), dp AS ( -- the verdicts that fell before stay with the package they were judged for
    UPDATE deadlines SET package = t.package FROM u JOIN tickets t ON t.id = u.ticket
     WHERE $41::text IS NOT NULL AND deadlines.ticket = u.ticket AND deadlines.package IS NULL
), tn AS ( -- what was agreed to is what was proposed last: a vendor, or that it cannot be resolved
    INSERT INTO tasks (ticket, version, of_version)
    SELECT u.ticket, u.version, p.version
      FROM u, LATERAL (SELECT e.version FROM events e WHERE e.ticket = u.ticket AND e.kind IN (10, 12)
                        ORDER BY e.version DESC LIMIT 1) p
     WHERE $7::smallint = 13
), td AS (
    UPDATE tasks SET done_version = u.version FROM u
     WHERE tasks.ticket = u.ticket AND tasks.version = $42::integer AND tasks.done_version IS NULL
), dl AS (
    DELETE FROM dead_letters USING u WHERE dead_letters.ticket = u.ticket
), kk AS (
    INSERT INTO keys (digest, content, request, at, ticket, version)
    SELECT $2::bytea, $3::bytea, $4::bigint, clock.at, u.ticket, u.version FROM u, clock
)
SELECT u.ticket IS NOT NULL AS changed, u.version, u.attempt, u.priority,
       old.ticket IS NOT NULL AS is_there, old.state AS old_state, old.version AS old_version, t.customer,
       posted.key_taken, posted.link_is, posted.link_may, posted.meeting_is, posted.meeting_same, posted.package_may, posted.task_is, posted.in_time, posted.to_come, posted.title_same, posted.queue_same, posted.tags_same,
       EXISTS (SELECT FROM f) AS has_children,
       -- Closed: what is a duplicate of it and still open may be closed too.
       CASE WHEN $7::smallint IN (17, 20) THEN (
           SELECT string_agg(l.ticket::text, ' ' ORDER BY l.ticket)
             FROM links l LEFT JOIN desk o ON o.ticket = l.ticket
            WHERE l.to_id = $1::bigint AND l.as_link = 'duplicate' AND coalesce(o.state, 0) <> 6) END AS duplicates,
       k.content AS key_content, k.request AS key_request, k.version AS key_version, clock.at
  FROM clock CROSS JOIN posted LEFT JOIN old ON true LEFT JOIN u ON true LEFT JOIN k ON true
       LEFT JOIN tickets t ON t.id = $1::bigint
