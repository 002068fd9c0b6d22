-- One new line can move every rank and share, and products are few: built whole each time from the kept sums.
{{ config(materialized='table', indexes=[{'columns': ['product_id'], 'unique': true}]) }}

select
    products.product_id,
    products.product_title,
    products.category,
    sales.units,
    sales.revenue,
    sales.orders,
    (rank() over (order by sales.revenue desc))::integer as rank_overall,
    (rank() over (partition by products.category order by sales.revenue desc))::integer as rank_in_category,
    coalesce(round(sales.revenue / nullif(sum(sales.revenue) over (), 0), 6), 0)::numeric(7, 6) as share_of_total
from {{ ref('int_product_sales') }} as sales
inner join {{ ref('stg_products') }} as products using (product_key)
