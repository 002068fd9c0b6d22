-- Only the holder of the dbt lock runs this, so a row that says 'running' belongs to a process that is gone.
UPDATE ops.dbt_runs
SET status = 'error', finished_at = now(), message = 'the process ended before this run did'
WHERE status = 'running';
