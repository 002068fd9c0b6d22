SELECT (SELECT count(*) FROM ecom.warehouse.fact_sales) AS fact_rows,
       (SELECT coalesce(sum(revenue), 0) FROM ecom.warehouse.fact_sales) AS fact_revenue,
       (SELECT count(*) FROM ecom.warehouse.fact_returns) + (SELECT count(*) FROM ecom.warehouse.user_changes) AS other_rows,
       (SELECT count(*) FROM ecom.ops.dead_letters) AS dead_rows
