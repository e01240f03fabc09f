-- A notifier looks, and learns whether it may tell. After a point-in-time restore what waits may be last night's: when the database is
-- another one, its history went back, or the history changed while nobody looked for ten minutes, all is held until it is released.
--  $1 whether to hold  $2 why  $3 name of this notifier
WITH clock AS MATERIALIZED (SELECT docket_now() AS at),
s AS MATERIALIZED (
    SELECT system AS system_identifier, timeline FROM docket_history()
)
INSERT INTO telling AS t (held, reason, changed_at, changed_by, beat_at, system_identifier, timeline)
SELECT $1::boolean, $2::text, clock.at, $3::text, clock.at, s.system_identifier, s.timeline FROM s, clock
ON CONFLICT (one) DO UPDATE
   SET beat_at = excluded.beat_at, system_identifier = excluded.system_identifier, timeline = excluded.timeline,
       held = t.held OR excluded.held OR t.system_identifier <> excluded.system_identifier OR t.timeline > excluded.timeline
           OR t.timeline <> excluded.timeline AND excluded.beat_at - t.beat_at > 600000000,
       reason = CASE WHEN t.held THEN t.reason
                     WHEN excluded.held THEN excluded.reason
                     WHEN t.system_identifier <> excluded.system_identifier THEN 'this is another database than before: was it restored?'
                     WHEN t.timeline > excluded.timeline
                       OR t.timeline <> excluded.timeline AND excluded.beat_at - t.beat_at > 600000000
                     THEN 'the history of the database is another one than before: was it restored?'
                     ELSE t.reason END
RETURNING held, reason, system_identifier, timeline
