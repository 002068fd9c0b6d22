-- The lake has each distinct line once, as a record says it, and each other event as the warehouse has it.
WITH expected AS (
    SELECT order_id, product_id, list(concat_ws(' ', quantity, price, list_price, revenue, currency, user_id, category, moment)) AS says
    FROM judged WHERE kind = 'order' GROUP BY ALL
), found AS (
    SELECT order_id, product_id, count(*) AS rows,
           any_value(concat_ws(' ', quantity, price, list_price, revenue, currency, user_id, category, ordered_at)) AS says
    FROM lake.sales GROUP BY ALL
), events AS (
    SELECT concat_ws(' ', kind, order_id, return_id, product_id) AS thing, 1 AS expected, 0 AS found FROM ecom.warehouse.fact_returns
    UNION ALL
    SELECT concat_ws(' ', kind, changed_at, user_id), 1, 0 FROM ecom.warehouse.user_changes
    UNION ALL
    SELECT concat_ws(' ', kind, order_id, return_id, product_id), 0, 1 FROM lake.returns
    UNION ALL
    SELECT concat_ws(' ', kind, valid_from, user_id), 0, 1 FROM lake.customers
)
SELECT format('order {} product {} in the lake', order_id, product_id), coalesce(e.says[1], 'no row'),
       concat_ws(' ', format('{} rows', coalesce(f.rows, 0)), f.says)
FROM expected e FULL JOIN found f USING (order_id, product_id)
WHERE e.says IS NULL OR f.rows IS DISTINCT FROM 1 OR NOT list_contains(e.says, f.says)
UNION ALL
SELECT thing, format('{} rows', sum(expected)), format('{} rows in the lake', sum(found))
FROM events GROUP BY thing HAVING sum(expected) <> sum(found)
ORDER BY 1
