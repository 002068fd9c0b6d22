-- The runs are numbered without many gaps: cheaper than to count them.
DELETE FROM ops.dbt_models WHERE run_id <= %(run_id)s - %(kept)s
