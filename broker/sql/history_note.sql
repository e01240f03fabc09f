-- Before this broker writes anything on a timeline: where it began. Whoever is the first tells.
INSERT INTO histories (system, database, timeline, seq)
SELECT g.cluster, g.database, g.timeline, CASE WHEN s.is_called THEN s.last_value ELSE 0 END
  FROM docket_history() g, event_seq s
ON CONFLICT DO NOTHING
