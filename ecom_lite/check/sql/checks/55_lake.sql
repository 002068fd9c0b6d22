-- description: The lake holds what the facts hold, up to its cut.
-- left: the lake
-- right: facts
-- severity: error
-- needs: ducklake.ducklake_metadata
-- The lake is some seconds behind: it is compared with what was loaded below the load order that it had reached when it was read. What that is,
-- the kept sums by day and currency say, with the facts between their cut and the lake's: two copies that know nothing of each other.
WITH given AS (
    SELECT %(lake)s::jsonb AS lake
), reached AS (
    SELECT (lake ->> 'below')::bigint AS below, lake ->> 'problem' AS problem FROM given
), parts AS (
    SELECT currency, lines, revenue FROM realtime.rolled_days WHERE %(kept_below)s::bigint > 0
    UNION ALL
    SELECT currency, CASE WHEN load_xid < (SELECT below FROM reached) THEN 1 ELSE 0 END, original_revenue * CASE WHEN load_xid < (SELECT below FROM reached) THEN 1 ELSE 0 END
    FROM warehouse.sales WHERE load_xid >= %(kept_below)s::bigint
    UNION ALL
    SELECT currency, -1, -original_revenue
    FROM warehouse.sales WHERE load_xid >= (%(lake)s::jsonb ->> 'below')::bigint AND load_xid < %(kept_below)s::bigint
), facts AS (
    SELECT currency, sum(lines) AS lines, sum(revenue) AS revenue FROM parts GROUP BY currency HAVING sum(lines) <> 0
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
           FROM warehouse.fact_sales WHERE load_xid >= (%(lake)s::jsonb ->> 'below')::bigint
       ) END AS note, CASE WHEN place = 1 THEN jsonb_build_object('lake_lines', of_lake) END AS figures
FROM line
WHERE (SELECT problem FROM reached) IS NULL
UNION ALL
SELECT 'the lake can be read', NULL, 0, false, problem, NULL FROM reached WHERE problem IS NOT NULL
