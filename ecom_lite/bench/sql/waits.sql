-- The loader's writing session, now: its other sessions are idle. None at work means that it waits for the loader.
SELECT coalesce(max(CASE
    WHEN state <> 'active' OR wait_event_type = 'Client' THEN 'waits_for_loader'
    WHEN wait_event_type IS NULL THEN 'works'
    WHEN wait_event_type = 'IO' OR wait_event LIKE 'WAL%' THEN 'waits_for_disk'
    ELSE 'waits_else'
END) FILTER (WHERE state <> 'idle'), 'waits_for_loader')
FROM pg_stat_activity
WHERE datname = current_database() AND usename = 'ecom_loader'
