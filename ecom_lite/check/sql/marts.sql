SELECT r.run_id, r.load_xid_below,
       (SELECT count(*) FROM ecom.warehouse.fact_sales f WHERE f.load_xid < r.load_xid_below) AS fact_rows,
       (SELECT coalesce(sum(revenue), 0) FROM ecom.warehouse.fact_sales f WHERE f.load_xid < r.load_xid_below) AS fact_revenue,
       (SELECT coalesce(sum(lines), 0)::BIGINT FROM ecom.marts.daily_sales) AS mart_lines,
       (SELECT coalesce(sum(revenue), 0) FROM ecom.marts.daily_sales) AS daily_revenue,
       (SELECT coalesce(sum(revenue), 0) FROM ecom.marts.product_performance) AS product_revenue,
       (SELECT coalesce(sum(lifetime_value), 0) FROM ecom.marts.customer_ltv) AS customer_revenue
FROM (
    SELECT run_id, load_xid_below FROM ecom.ops.dbt_runs
    WHERE status IN ('success', 'tests failed') ORDER BY run_id DESC LIMIT 1
) r
