-- What the notifier's look at itself relies on, endpoints that only fail, and guests.

-- Since when every attempt to this endpoint failed; NULL or 0: the last one did not.
ALTER TABLE targets ADD COLUMN failing_since bigint;

-- Invited to a meeting and none of the customer's contacts: told of it, without a token to answer in the customer's name.
ALTER TABLE deliveries ADD COLUMN guest boolean NOT NULL DEFAULT false;

-- Every row a legal state. NOT VALID: rows of before are not read, which a large table would be locked for.
ALTER TABLE outbox ADD CONSTRAINT outbox_state_is_legal CHECK (state BETWEEN 0 AND 6) NOT VALID;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_state_is_legal CHECK (state BETWEEN 0 AND 9) NOT VALID;
