-- Who has the facts, and for how long already: what a change of their columns waits for.
SELECT a.pid, a.usename, extract(epoch FROM clock_timestamp() - a.xact_start)
FROM pg_locks l
JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = 'warehouse.fact_sales'::regclass AND l.granted AND l.pid <> pg_backend_pid()
ORDER BY a.xact_start
LIMIT 1
