-- description: The lake holds what the facts hold, up to its cut.
-- left: the lake
-- right: facts
-- severity: error
-- needs: ducklake.ducklake_metadata
-- The lake is some seconds behind: it is compared with what was loaded below the load order that it had reached when it was read.
WITH given AS (
    SELECT %(lake)s::jsonb AS lake
), reached AS (
    SELECT (lake ->> 'below')::bigint AS below, lake ->> 'problem' AS problem FROM given
), facts AS (
    SELECT f.currency, count(*) AS lines, sum(coalesce(f.exact_price * f.quantity, f.revenue)) AS revenue
    FROM warehouse.fact_sales f
    WHERE f.load_xid < (SELECT below FROM reached)
    GROUP BY f.currency
), held AS (
    SELECT x.currency, x.lines, x.revenue FROM given, jsonb_to_recordset(lake -> 'sales') AS x (currency text, lines bigint, revenue numeric)
), line AS (
    SELECT 1 AS place, 'order lines in the lake = facts' AS line, (SELECT coalesce(sum(lines), 0) FROM held) AS of_lake,
           (SELECT coalesce(sum(lines), 0) FROM facts) AS of_facts
    UNION ALL
    SELECT 2, 'revenue in the lake = facts, in ' || currency, coalesce(held.revenue, 0), coalesce(facts.revenue, 0)
    FROM held FULL JOIN facts USING (currency)
    UNION ALL
    SELECT 3, 'returns in the lake = facts', (SELECT (lake ->> 'returns')::numeric FROM given),
           (SELECT count(*) FROM warehouse.fact_returns WHERE load_xid < (SELECT below FROM reached))
    UNION ALL
    SELECT 4, 'changes of customers in the lake = facts', (SELECT (lake ->> 'changes')::numeric FROM given),
           (SELECT count(*) FROM warehouse.user_changes WHERE load_xid < (SELECT below FROM reached))
)
SELECT line, trim_scale(of_lake) AS "left", trim_scale(of_facts) AS "right", of_lake = of_facts AS closes,
       CASE WHEN place = 1 THEN (
           SELECT CASE WHEN count(*) = 0 THEN '' ELSE to_char(count(*), 'FM999,999,999,990') || ' lines came since' END
           FROM warehouse.fact_sales WHERE load_xid >= (SELECT below FROM reached)
       ) END AS note, CASE WHEN place = 1 THEN jsonb_build_object('lake_lines', of_lake) END AS figures
FROM line
WHERE (SELECT problem FROM reached) IS NULL
UNION ALL
SELECT 'the lake can be read', NULL, 0, false, problem, NULL FROM reached WHERE problem IS NOT NULL
