-- A version of the process is found by its hash, whole or its beginning, however often one was applied.
CREATE INDEX process_log_hash ON process_log (hash text_pattern_ops, n);
