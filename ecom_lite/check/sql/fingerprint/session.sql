-- One moment of the whole warehouse, and the same text for the same value on any machine.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SET LOCAL statement_timeout = '30min';
SET LOCAL TimeZone = 'UTC';
SET LOCAL DateStyle = 'ISO, YMD';
SET LOCAL client_encoding = 'UTF8';
SET LOCAL work_mem = '64MB';
