-- One new line can move every rank and share, and products are few: a view of the kept sums.
{{ config(materialized='view') }}

select
    products.product_id,
    products.product_title,
    products.category,
    sales.units,
    sales.gross,
    sales.discounts,
    sales.revenue,
    sales.returned_units,
    sales.returns,
    {{ money('sales.revenue - sales.returns') }} as net,
    sales.orders,
    (rank() over (order by sales.revenue desc))::integer as rank_overall,
    (rank() over (partition by products.category order by sales.revenue desc))::integer as rank_in_category,
    coalesce(round(sales.revenue / nullif(sum(sales.revenue) over (), 0), 6), 0)::numeric(7, 6) as share_of_total,
    {{ share('sales.returned_units', 'sales.units') }} as returned_share
from {{ ref('int_product_sales') }} as sales
inner join {{ ref('stg_products') }} as products using (product_key)
