SELECT
    product_id,
    any_value(title) AS product_title,
    any_value(products.category) AS category,
    kind,
    reason,
    count(*) AS returns,
    sum(came_back.units)::BIGINT AS units,
    money(sum(amount)) AS amount,
    share(sum(came_back.units), any_value(products.units)) AS share_of_units,
    share(sum(amount), any_value(products.revenue)) AS share_of_revenue
FROM came_back JOIN products USING (product_id)
WHERE came_back.units > 0
GROUP BY product_id, kind, reason
