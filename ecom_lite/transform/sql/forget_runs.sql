-- Of those that ended well the newest stay in any case: what the marts hold, and since when, is asked of them. So does the newest that
-- was dbt's own, by which it is told which models there are.
DELETE FROM ops.dbt_runs
WHERE run_id <= %(run_id)s - %(kept)s
      AND run_id <> coalesce((SELECT max(run_id) FROM ops.dbt_runs WHERE status = 'success'), 0)
      AND run_id <> coalesce((SELECT max(run_id) FROM ops.dbt_runs WHERE status IN ('success', 'tests failed')), 0)
      AND run_id <> coalesce((SELECT max(r.run_id) FROM ops.dbt_runs r WHERE NOT r.quick AND r.selected IS NULL
                              AND EXISTS (SELECT FROM ops.dbt_models m WHERE m.run_id = r.run_id)), 0)
