-- The last good dbt run, and those after it: one that is at work, or that failed, may have brought some of the marts further.
WITH good AS (
    SELECT run_id, rates_version FROM ops.dbt_runs WHERE status IN ('success', 'tests failed') ORDER BY run_id DESC LIMIT 1
)
SELECT r.run_id, r.status, r.load_xid_below, g.rates_version <> c.rates_version AS of_other_rates
FROM ops.dbt_runs r JOIN good g ON r.run_id >= g.run_id CROSS JOIN ops.reporting_currency c
ORDER BY r.load_xid_below, r.run_id
