-- How often the on-call plan was changed. In one snapshot with oncall_overrides.
SELECT rev FROM oncall_plan
