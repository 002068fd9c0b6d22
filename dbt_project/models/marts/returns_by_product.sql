{{ config(materialized='view') }}

select
    products.product_id,
    products.product_title,
    products.category,
    came_back.kind,
    came_back.reason,
    came_back.returns,
    came_back.units,
    came_back.amount,
    {{ share('came_back.units', 'sales.units') }} as share_of_units,
    {{ share('came_back.amount', 'sales.revenue') }} as share_of_revenue
from {{ ref('int_product_returns') }} as came_back
inner join {{ ref('int_product_sales') }} as sales using (product_key)
inner join {{ ref('stg_products') }} as products using (product_key)
