-- A mute also counts the messages to staff that were not sent because of it; alerts it held back are not lost, these are.
ALTER TABLE mutes ADD COLUMN messages integer NOT NULL DEFAULT 0;
