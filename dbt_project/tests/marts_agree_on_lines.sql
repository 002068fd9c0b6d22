-- A line is one order of its product, so the days' lines are the products' orders.
select days.lines, products.orders
from (select coalesce(sum(lines), 0) as lines from {{ ref('daily_sales') }}) as days
cross join (select coalesce(sum(orders), 0) as orders from {{ ref('product_performance') }}) as products
where days.lines <> products.orders
