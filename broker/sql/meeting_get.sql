-- A meeting of a ticket as it stands.
--  $1 ticket  $2 meeting
SELECT medium, at, duration_s, place, reminder_s, version FROM meetings WHERE ticket = $1::bigint AND meeting = $2::text
