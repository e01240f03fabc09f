-- What the notifier's look at itself relies on, and endpoints that only fail.

-- Since when every attempt to this endpoint failed; NULL or 0: the last one did not.
ALTER TABLE targets ADD COLUMN failing_since bigint;

-- Every row a legal state. NOT VALID: rows of before are not read, which a large table would be locked for.
ALTER TABLE outbox ADD CONSTRAINT outbox_state_is_legal CHECK (state BETWEEN 0 AND 6) NOT VALID;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_is_legal CHECK (state BETWEEN 0 AND 9) NOT VALID;
