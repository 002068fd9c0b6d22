-- What the newest run has done to each model, of those that the newest run of dbt itself has had: others are no more.
SELECT DISTINCT ON (model) model, error = '' AS ok, seconds, rows, tests_failed
FROM ops.dbt_models
WHERE run_id >= (SELECT max(run_id) FROM ops.dbt_runs r WHERE NOT quick AND selected IS NULL
                 AND EXISTS (SELECT FROM ops.dbt_models m WHERE m.run_id = r.run_id))
ORDER BY model, run_id DESC;
