-- The newest run of dbt that is over; none while there is no such mart.
SELECT max(run_id) FROM ops.dbt_runs WHERE finished_at IS NOT NULL AND to_regclass('marts.daily_sales') IS NOT NULL
