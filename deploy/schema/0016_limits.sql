-- Limits of an address count its last messages one by one, hosts share what one address may hold, and all statements of a claim go by one clock.

-- When the transaction began, by the clock of docket_now.
CREATE FUNCTION docket_began() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint;

-- When a message was taken that counts for the limit of its address.
ALTER TABLE deliveries ADD COLUMN counted_at bigint;
CREATE INDEX deliveries_counted ON deliveries (channel, address, counted_at) WHERE counted_at IS NOT NULL;

-- Whether a message belongs to an alert of P1; whether messages of its kind are limited at all.
CREATE FUNCTION docket_is_p1(kind text, alert bigint, priority smallint) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (kind = 'alert' OR alert IS NOT NULL) AND coalesce(priority, 1) = 1;
CREATE FUNCTION docket_is_limited(kind text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN kind NOT IN ('received', 'receipts', 'digest', 'alerts', 'approval_asked', 'cannot_resolve');

-- Who serves an address: the host and port of a URL; else the address itself.
CREATE FUNCTION docket_endpoint(address text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN starts_with(address, 'http') THEN coalesce(lower(substring(address FROM '^https?://([^/?#]+)')), address) ELSE address END;

-- As before, but the mark of a claim (negative) stays: what the claim itself adds (a summary) is still in its hands.
CREATE OR REPLACE FUNCTION docket_not_before(at bigint, earliest bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN at < 0 THEN at WHEN at IS NOT NULL THEN greatest(at, earliest) END;
