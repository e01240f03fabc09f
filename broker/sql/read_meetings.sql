-- Meetings of a ticket as they stand, a row for each who is invited, with the answer to the meeting as it is now.
--  $1 ticket
SELECT m.meeting, m.cancelled, m.medium, m.at, m.duration_s, m.place, m.reminder_s, a.attendee, r.answer, r.at, m.version
  FROM (SELECT * FROM meetings WHERE ticket = $1::bigint ORDER BY at, meeting LIMIT 100) m
       CROSS JOIN LATERAL unnest(m.attendees) WITH ORDINALITY AS a(attendee, ord)
       LEFT JOIN meeting_answers r ON r.ticket = m.ticket AND r.meeting = m.meeting AND r.attendee = a.attendee AND r.version > m.version
 ORDER BY m.at, m.meeting, a.ord
