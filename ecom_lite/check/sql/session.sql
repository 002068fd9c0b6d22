-- One moment of the whole warehouse for all that follows, however long it takes.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = '30min';
SET LOCAL lock_timeout = '30s';
SET LOCAL TimeZone = 'UTC';
SET LOCAL work_mem = '64MB';
SET LOCAL jit = off;
