-- The same with all histories that this database has had, the oldest first: timeline, number of the last event that may be from before it.
SELECT g.system, g.timeline, h.timeline AS began, h.seq
  FROM docket_history() g JOIN histories h ON h.system = g.cluster AND h.database = g.database
 ORDER BY h.timeline
