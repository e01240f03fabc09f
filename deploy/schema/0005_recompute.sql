-- process.apply with recompute: open tickets are woken in order of their ids, until none is left above recompute_after.
ALTER TABLE process_log
    ADD COLUMN recompute_after bigint,                 -- NULL: not asked for, or done
    ADD COLUMN recomputed      bigint NOT NULL DEFAULT 0;
