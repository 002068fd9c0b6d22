-- description: Each mart holds exactly the facts below the cut of one dbt run, to the cent.
-- left: the marts
-- right: facts
-- severity: error
-- needs: marts.daily_sales, marts.product_performance, marts.customer_ltv
-- The cuts are those of the last good run and of the runs since. A run commits model by model: while one is at work, or after one that
-- failed, a mart may have come further than the last good run. It must still hold what one of them has taken.
WITH facts AS (
    SELECT * FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, status text, lines bigint, revenue numeric)
), cuts AS (
    SELECT run_id, lines, revenue, 'of dbt run ' || run_id || CASE status WHEN 'running' THEN ', which is at work' WHEN 'error' THEN ', which failed' ELSE '' END AS told
    FROM facts WHERE run_id IS NOT NULL
), daily AS (
    SELECT coalesce(sum(lines), 0)::bigint AS lines, coalesce(sum(revenue), 0) AS revenue FROM marts.daily_sales
), products AS (
    SELECT coalesce(sum(revenue), 0) AS revenue FROM marts.product_performance
), customers AS (
    SELECT coalesce(sum(revenue), 0) AS revenue FROM marts.customer_ltv
), held AS (  -- where none fits, the last good run, which is the oldest of them
    SELECT c.*, d.lines AS mart_lines, d.revenue AS mart_revenue FROM cuts c CROSS JOIN daily d
    ORDER BY (c.lines, c.revenue) = (d.lines, d.revenue) DESC, c.lines = d.lines DESC, c.run_id LIMIT 1
), held_products AS (
    SELECT c.*, p.revenue AS mart_revenue FROM cuts c CROSS JOIN products p ORDER BY c.revenue = p.revenue DESC, c.run_id LIMIT 1
), held_customers AS (
    SELECT c.*, m.revenue AS mart_revenue FROM cuts c CROSS JOIN customers m ORDER BY c.revenue = m.revenue DESC, c.run_id LIMIT 1
), lines AS (
    SELECT 1 AS place, 'lines in daily_sales = facts' AS line, to_jsonb(mart_lines) AS "left", to_jsonb(lines) AS "right",
           told || CASE WHEN newer > 0 THEN '; ' || to_char(newer, 'FM999,999,999,990') || ' facts are newer' ELSE '' END AS note,
           jsonb_build_object('mart_lines', mart_lines) AS figures
    FROM held, LATERAL (SELECT f.lines - held.lines AS newer FROM facts f WHERE f.run_id IS NULL) whole
    UNION ALL
    SELECT 2, 'revenue in daily_sales = facts', to_jsonb(mart_revenue), to_jsonb(revenue), '', NULL FROM held
    UNION ALL
    SELECT 3, 'revenue in product_performance = facts', to_jsonb(p.mart_revenue), to_jsonb(p.revenue), CASE WHEN p.run_id <> h.run_id THEN p.told ELSE '' END, NULL
    FROM held_products p, held h
    UNION ALL
    SELECT 4, 'revenue in customer_ltv = facts', to_jsonb(c.mart_revenue), to_jsonb(c.revenue), CASE WHEN c.run_id <> h.run_id THEN c.told ELSE '' END, NULL
    FROM held_customers c, held h
)
SELECT line, "left", "right", figures,
       CASE WHEN "left" <> "right" AND (%(runs)s::jsonb -> 0 ->> 'of_other_rates')::boolean
            THEN 'the rates have changed since: `ecom_lite refresh` builds the marts anew' ELSE note END AS note
FROM lines
ORDER BY place
