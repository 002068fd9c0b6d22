-- All the money, from the topic's own distinct lines.
WITH distinct_lines AS (
    SELECT any_value(quantity) AS quantity, any_value(revenue) AS revenue FROM judged WHERE kind = 'order' GROUP BY order_id, product_id
), expected AS (
    SELECT count(*) AS facts, coalesce(sum(quantity), 0) AS units, coalesce(sum(revenue), 0) AS revenue FROM distinct_lines
), found AS (
    SELECT count(*) AS facts, coalesce(sum(quantity), 0) AS units, coalesce(sum(coalesce(exact_price * quantity, revenue)), 0) AS revenue FROM ecom.warehouse.fact_sales
)
SELECT 'facts, units, revenue', concat_ws(', ', e.facts, e.units, e.revenue), concat_ws(', ', f.facts, f.units, f.revenue)
FROM expected e, found f
WHERE (e.facts, e.units, e.revenue) IS DISTINCT FROM (f.facts, f.units, f.revenue)
