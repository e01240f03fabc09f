-- Which histories this database has had: a row for each timeline (a promoted standby, a restore to a moment) on which a broker began, written
-- before anything else is written there, with the number of the last event that may be from before. A reader of the feed that read on beyond it
-- on an older timeline has read what was lost (common/feed.h). The first row, of this migration, knows nothing of what was before.
CREATE TABLE histories (
    system   bigint  NOT NULL, -- of the cluster
    database oid     NOT NULL, -- a dump that is restored beside its original, or in its place, is another one
    timeline integer NOT NULL,
    seq      bigint  NOT NULL,
    at       bigint  NOT NULL DEFAULT docket_now(),
    is_first boolean NOT NULL DEFAULT false,
    PRIMARY KEY (system, database, timeline)
);
CREATE UNIQUE INDEX histories_first ON histories (is_first) WHERE is_first;

-- Where we are. system: as cursors carry it, the cluster's for the database of the first row; another number in each other one.
CREATE FUNCTION docket_history(OUT system bigint, OUT timeline integer, OUT cluster bigint, OUT database oid) LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN EXISTS (SELECT FROM histories h WHERE h.is_first AND h.database <> d.oid)
                THEN c.system_identifier # (d.oid::bigint << 24) ELSE c.system_identifier END,
           ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer, c.system_identifier, d.oid
      FROM pg_control_system() c, pg_database d
     WHERE d.datname = current_database()
$$;

INSERT INTO histories (system, database, timeline, seq, is_first)
SELECT cluster, database, timeline, 9223372036854775807, true FROM docket_history();
