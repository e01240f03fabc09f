-- A queue of its own for each address of each channel: what is claimed is an address that is ready, then a few of its deliveries,
-- so that a slow or dead one costs the others nothing. Rows are locked by whoever adds to the queue, claims from it or puts back.
CREATE TABLE targets (
    channel          text   NOT NULL,
    address          text   NOT NULL,
    ready_at         bigint,                           -- when to look at its deliveries next; NULL: none waits
    blocked_until    bigint NOT NULL DEFAULT 0,        -- not before: the other side asked for a pause
    suppressed_until bigint,                           -- the address does not work: nothing is sent to it
    reason           text,                             -- why it is suppressed
    short_at         bigint NOT NULL DEFAULT 0,        -- begin of the short window that counts what is limited, and how many
    short_count      integer NOT NULL DEFAULT 0,
    long_at          bigint NOT NULL DEFAULT 0,
    long_count       integer NOT NULL DEFAULT 0,
    PRIMARY KEY (channel, address)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 1);
-- When a queue is ready: as its next delivery, but not before the pause that was asked for; NULL when none waits.
CREATE FUNCTION docket_not_before(at bigint, earliest bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN at IS NOT NULL THEN greatest(at, earliest) END;

CREATE INDEX targets_ready ON targets (channel, ready_at) WHERE ready_at IS NOT NULL;

ALTER TABLE deliveries
    ADD COLUMN priority smallint,                      -- of the alert, else of the ticket when it was expanded
    ADD COLUMN others text[],                          -- channel, address, channel, address, … of the same recipient, if this one fails
    ADD COLUMN digest boolean NOT NULL DEFAULT false,  -- held back: goes with the others of its address as one message
    ADD COLUMN bundle bigint;                          -- the delivery it went into (state 7)
CREATE INDEX deliveries_queue ON deliveries (channel, address, next_at) WHERE state < 2;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE state = 1;
CREATE INDEX deliveries_bundle ON deliveries (bundle) WHERE bundle IS NOT NULL;
CREATE INDEX deliveries_ended ON deliveries (state, id) WHERE state IN (4, 5, 6, 9);

-- Whoever adds deliveries makes their addresses ready, in one order, so that two never wait for one another.
CREATE FUNCTION docket_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO targets AS t (channel, address, ready_at)
    SELECT n.channel, n.address, min(n.next_at) FROM added n WHERE n.state = 0 GROUP BY n.channel, n.address ORDER BY n.channel, n.address
    ON CONFLICT (channel, address) DO UPDATE
       SET ready_at = docket_not_before(least(t.ready_at, excluded.ready_at), t.blocked_until);
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries_queue AFTER INSERT ON deliveries REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION docket_queue();

-- Whether anything is told at all; one row. Held: after a restore what waits may be last night's.
CREATE TABLE telling (
    one               boolean PRIMARY KEY DEFAULT true CHECK (one),
    held              boolean NOT NULL DEFAULT false,
    reason            text,
    changed_at        bigint  NOT NULL,
    changed_by        text,
    beat_at           bigint  NOT NULL,                -- when a notifier looked last
    system_identifier bigint  NOT NULL,
    timeline          integer NOT NULL
);

INSERT INTO targets (channel, address, ready_at)
SELECT channel, address, min(next_at) FROM deliveries WHERE state < 2 GROUP BY channel, address;
