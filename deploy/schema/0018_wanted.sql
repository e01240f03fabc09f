-- What each broker's desk wants of the time, in thousandths, so that the others compute open tickets again no faster than it bears.
ALTER TABLE brokers ADD COLUMN wanted smallint NOT NULL DEFAULT 0;
