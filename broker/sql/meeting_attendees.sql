-- Who is to attend a meeting.
--  $1 ticket  $2 meeting
SELECT a.address FROM meetings m, unnest(m.attendees) WITH ORDINALITY AS a(address, ord)
 WHERE m.ticket = $1::bigint AND m.meeting = $2::text ORDER BY a.ord
