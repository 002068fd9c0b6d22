SELECT (SELECT coalesce(sum(lines), 0)::bigint FROM marts.daily_sales) AS mart_lines,
       (SELECT coalesce(sum(revenue), 0) FROM marts.daily_sales) AS daily_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM marts.product_performance) AS product_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM marts.customer_ltv) AS customer_revenue
