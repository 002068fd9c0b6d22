-- What people look at all the time, and the sums below the cut that it rests on, each added up from its own table.
SELECT t.lines, t.revenue, r.lines AS kept_lines, r.revenue AS kept_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM realtime.rolled_categories) AS category_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM realtime.rolled_products) AS product_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM realtime.rolled_customers) AS customer_revenue
FROM realtime.totals() t, realtime.rolled r
