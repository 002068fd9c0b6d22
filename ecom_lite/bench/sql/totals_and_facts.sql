-- What the board says and what the facts say, at one moment.
SELECT t.lines, t.orders, t.units, t.revenue, f.lines, f.orders, f.units, f.revenue
FROM realtime.totals() t,
     (SELECT count(*) AS lines, count(DISTINCT order_id) AS orders, coalesce(sum(quantity), 0) AS units,
             coalesce(sum(revenue), 0) AS revenue
      FROM warehouse.fact_sales) f
