-- description: Facts do not wait long for the marts and for the kept sums. Only minutes in which something was loaded count.
-- left: minutes allowed
-- right: minutes of loading since the first fact that is missing
-- severity: warning
-- A night in which nothing ran makes nothing stale. The limit follows transform.every_s.
WITH cuts AS (
    SELECT 1 AS place, 'minutes that facts wait for the marts' AS line, ceil(%(marts_every_s)s::numeric / 60 * 3 + 10)::bigint AS allowed,
           (SELECT load_xid_below FROM ops.dbt_runs WHERE status IN ('success', 'tests failed') ORDER BY run_id DESC LIMIT 1) AS below
    UNION ALL
    SELECT 2, 'minutes that facts wait for the kept sums', 10, load_xid_below FROM realtime.rolled
)
SELECT line, 0 AS "left", allowed AS up_to, waited AS "right", CASE WHEN waited > allowed THEN 'facts since ' || to_char(first, 'YYYY-MM-DD HH24:MI') || ' are missing' ELSE 'allowed' END AS note
FROM cuts
CROSS JOIN LATERAL (SELECT min(loaded_at) AS first FROM warehouse.fact_sales f WHERE f.load_xid >= cuts.below) waiting
CROSS JOIN LATERAL (SELECT count(DISTINCT date_trunc('minute', b.loaded_at)) AS waited FROM ops.load_batches b WHERE b.loaded_at >= first) minutes
WHERE below IS NOT NULL
ORDER BY place
