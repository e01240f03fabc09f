-- How often the on-call plan was changed, and which version of the process is current. In one snapshot with oncall_overrides.
SELECT rev, (SELECT l.hash FROM process_log l ORDER BY l.n DESC LIMIT 1) FROM oncall_plan
