-- Of those that ended well the newest stay in any case: what the marts hold, and since when, is asked of them.
DELETE FROM ops.dbt_runs
WHERE run_id <= %(run_id)s - %(kept)s
      AND run_id <> coalesce((SELECT max(run_id) FROM ops.dbt_runs WHERE status = 'success'), 0)
      AND run_id <> coalesce((SELECT max(run_id) FROM ops.dbt_runs WHERE status IN ('success', 'tests failed')), 0)
