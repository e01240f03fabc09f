-- Alerts climb: where each stands, its steps, the pages of a step, and what people changed of the on-call plan.

-- The row of an alert is the one that decides: who acknowledges, resolves or steps writes it under its own conditions.
-- next_at: when a notifier looks at it (0: at once, so a row that is only inserted is looked at); NULL: never again.
ALTER TABLE alerts
    ADD COLUMN next_at     bigint DEFAULT 0,
    ADD COLUMN round       integer NOT NULL DEFAULT 0,  -- of the next step
    ADD COLUMN level       integer NOT NULL DEFAULT 0,  -- of the next step; as many as the policy has: the last resort
    ADD COLUMN reminders   integer NOT NULL DEFAULT 0,
    ADD COLUMN since_at    bigint,                      -- when this generation began; NULL: when it was opened
    ADD COLUMN stepped_at  bigint,                      -- the last step of this generation
    ADD COLUMN reminded_at bigint,
    ADD COLUMN resolved_by text,
    ADD COLUMN policy      text,
    ADD COLUMN lease_until bigint,
    ADD COLUMN token       bigint,                      -- of the notifier that is making the next step
    ADD COLUMN stepped_by  bigint;                      -- token of the last step: its rows are written under it
UPDATE alerts SET next_at = NULL WHERE state = 2;
CREATE INDEX alerts_next ON alerts (next_at) WHERE next_at IS NOT NULL;

-- Each step once: append-only.
CREATE TABLE escalations (
    id         bigint   GENERATED ALWAYS AS IDENTITY UNIQUE,
    alert      bigint   NOT NULL,
    generation integer  NOT NULL,
    what       smallint NOT NULL,                       -- 0 page, 1 last resort, 2 reminder, 3 over
    round      integer  NOT NULL,
    level      integer  NOT NULL,
    at         bigint   NOT NULL,
    told       integer  NOT NULL,                       -- people and addresses
    note       text,                                    -- why nobody, or who
    PRIMARY KEY (alert, generation, what, round, level)
);

-- The pages of an alert, and which of a person's ways it is: 0 the first, the next ones wait for it.
ALTER TABLE deliveries
    ADD COLUMN alert bigint,
    ADD COLUMN way   smallint NOT NULL DEFAULT 0;
CREATE INDEX deliveries_alert ON deliveries (alert) WHERE alert IS NOT NULL;

-- Overrides of schedules (schedule), swaps (schedule and replaces), absences (replaces alone: staff stands in everywhere).
CREATE TABLE oncall_overrides (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule     text,
    replaces     text,
    staff        text,
    from_at      bigint NOT NULL,
    until_at     bigint NOT NULL,
    made_at      bigint NOT NULL,
    made_by      text   NOT NULL,
    reason       text,
    cancelled_at bigint,
    cancelled_by text,
    CHECK (schedule IS NOT NULL OR replaces IS NOT NULL),
    CHECK (staff IS NOT NULL OR schedule IS NULL)
);
CREATE INDEX oncall_overrides_until ON oncall_overrides (until_at) WHERE cancelled_at IS NULL;
