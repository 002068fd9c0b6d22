-- description: By each attribute, sales_by_attribute holds exactly the facts below the cut of one dbt run.
-- left: sales_by_attribute
-- right: facts
-- severity: error
-- needs: marts.sales_by_attribute
WITH cuts AS (
    SELECT * FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, lines bigint, revenue numeric) WHERE run_id IS NOT NULL
), attributes AS (
    SELECT attribute, sum(lines)::bigint AS lines, sum(revenue) AS revenue, count(*) OVER () AS many FROM marts.sales_by_attribute GROUP BY attribute
), held AS (
    SELECT DISTINCT ON (attribute) a.*, c.lines AS expected_lines, c.revenue AS expected, (c.lines, c.revenue) = (a.lines, a.revenue) AS closes
    FROM attributes a CROSS JOIN cuts c
    ORDER BY attribute, (c.lines, c.revenue) = (a.lines, a.revenue) DESC, c.run_id
)
SELECT 'revenue in sales_by_attribute = facts' AS line, revenue AS "left", expected AS "right", closes,
       CASE WHEN closes THEN 'by each attribute (' || many || ')'
            WHEN (%(runs)s::jsonb -> 0 ->> 'of_other_rates')::boolean THEN 'the rates have changed since: `ecom_lite refresh` builds the marts anew'
            ELSE attribute || ': ' || to_char(lines, 'FM999,999,999,990') || ' of ' || to_char(expected_lines, 'FM999,999,999,990') || ' lines' END AS note
FROM held
ORDER BY closes, attribute LIMIT 1
