-- Two runs on one warehouse take turns: the second finds what the first has written, and fires nothing twice.
SELECT pg_advisory_xact_lock(7204042)
