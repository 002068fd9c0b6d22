-- The runs are numbered without many gaps: cheaper than to count them. What the newest run of dbt itself has done stays: it says which
-- models there are, and it alone tells of views.
DELETE FROM ops.dbt_models
WHERE run_id <= %(run_id)s - %(kept)s
      AND run_id <> coalesce((SELECT max(r.run_id) FROM ops.dbt_runs r WHERE NOT r.quick AND r.selected IS NULL
                              AND EXISTS (SELECT FROM ops.dbt_models m WHERE m.run_id = r.run_id)), 0)
