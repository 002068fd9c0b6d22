SELECT d.date, d.lines, d.orders, d.units, d.gross::numeric(20, 4) AS gross, d.discounts::numeric(20, 4) AS discounts,
       d.revenue::numeric(20, 4) AS revenue, d.returned_units, d.returns::numeric(20, 4) AS returns, d.net::numeric(20, 4) AS net, d.customers,
       d.average_order_value::numeric(20, 4) AS average_order_value, d.returned_of_orders::numeric(20, 4) AS returned_of_orders,
       d.returned_share::numeric(12, 6) AS returned_share, c.load_xid_below AS load_xid,
       coalesce((SELECT max(started_at) FROM ops.dbt_runs r WHERE r.load_xid_below = c.load_xid_below), now()) AS as_of
FROM marts.daily_sales d, ops.mart_cuts c
WHERE c.model = 'daily_sales' AND c.part = ''
