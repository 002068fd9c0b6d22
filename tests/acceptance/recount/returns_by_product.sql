WITH bought AS (  -- all lines of a product, and how the newest of them names it
    SELECT product_id, sum(quantity) AS units, sum(revenue) AS revenue, arg_max(title, moment) AS title, arg_max(category, moment) AS category
    FROM sold GROUP BY product_id
)
SELECT
    product_id,
    any_value(title) AS product_title,
    any_value(category) AS category,
    kind,
    reason,
    count(*) AS returns,
    sum(came_back.units)::BIGINT AS units,
    money(sum(amount)) AS amount,
    share(sum(came_back.units), any_value(bought.units)) AS share_of_units,
    share(sum(amount), any_value(bought.revenue)) AS share_of_revenue
FROM came_back JOIN bought USING (product_id)
WHERE came_back.units > 0
GROUP BY product_id, kind, reason
