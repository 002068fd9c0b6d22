WITH back AS (
    SELECT product_id, sum(units)::BIGINT AS units, sum(amount) AS amount FROM came_back WHERE units > 0 GROUP BY product_id
)
SELECT
    product_id, title AS product_title, category, products.units, money(gross) AS gross, money(gross - revenue) AS discounts,
    money(revenue) AS revenue, coalesce(back.units, 0) AS returned_units, money(coalesce(amount, 0)) AS returns,
    money(revenue - coalesce(amount, 0)) AS net, orders,
    (1 + (SELECT count(*) FROM products AS better WHERE better.revenue > products.revenue))::INTEGER AS rank_overall,
    (1 + (SELECT count(*) FROM products AS better WHERE better.revenue > products.revenue AND better.category = products.category))::INTEGER
        AS rank_in_category,
    share(revenue, sum(revenue) OVER ()) AS share_of_total,
    share(coalesce(back.units, 0), products.units) AS returned_share
FROM products LEFT JOIN back USING (product_id)
