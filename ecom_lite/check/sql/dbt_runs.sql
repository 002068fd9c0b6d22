-- The last good dbt run, and those after it: one that is at work, or that failed, may have brought some of the marts further.
SELECT run_id, status, load_xid_below
FROM ops.dbt_runs
WHERE run_id >= (SELECT max(run_id) FROM ops.dbt_runs WHERE status IN ('success', 'tests failed'))
ORDER BY load_xid_below, run_id
