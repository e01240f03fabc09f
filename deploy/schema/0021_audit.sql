-- Open alerts that nobody will look at again: none, ever; the notifier's look at itself asks each minute.
CREATE INDEX alerts_lost ON alerts (id) WHERE state = 0 AND next_at IS NULL;
