-- The facts, in the reporting currency: all of them (without a run_id), and those below the cut of each dbt run in question. What the lake
-- has is given; the rest is read, in one pass.
WITH runs AS (
    SELECT run_id, status, row_number() OVER (ORDER BY load_xid_below, run_id) - 1 AS until
    FROM jsonb_to_recordset(%(runs)s::jsonb) AS r(run_id bigint, status text, load_xid_below bigint)
), parts AS (
    SELECT width_bucket(load_xid, ARRAY(SELECT (r ->> 'load_xid_below')::bigint FROM jsonb_array_elements(%(runs)s::jsonb) r ORDER BY 1)) AS segment,
           count(*) AS lines, count(revenue) AS priced, sum(revenue) AS revenue
    FROM (SELECT load_xid, revenue FROM warehouse.sales WHERE load_xid >= %(facts_since)s::bigint OFFSET 0) worth  -- each amount is worked out once
    GROUP BY segment
    UNION ALL
    SELECT segment, lines, priced, revenue
    FROM jsonb_to_recordset(%(facts_of_lake)s::jsonb) AS l(segment integer, lines bigint, priced bigint, revenue numeric)
), segments AS MATERIALIZED (
    SELECT segment, sum(lines) AS lines, sum(priced) AS priced,
           round(coalesce(sum(revenue), 0), (SELECT greatest(decimals, 2) FROM ops.reporting_currency)) AS revenue
    FROM parts GROUP BY segment
)
SELECT NULL AS run_id, NULL AS status, coalesce(sum(lines), 0) AS lines, coalesce(sum(priced), 0) AS priced, coalesce(sum(revenue), 0.00) AS revenue
FROM segments
UNION ALL
SELECT run_id, status, coalesce(sum(lines), 0), coalesce(sum(priced), 0), coalesce(sum(revenue), 0.00)
FROM runs LEFT JOIN segments ON segment <= until
GROUP BY run_id, status
