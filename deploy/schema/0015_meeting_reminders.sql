-- How long before a meeting begins its people are reminded of it, in seconds; 0: never. NULL: as the process says.
ALTER TABLE meetings ADD COLUMN reminder_s bigint;
