-- Pairs in too few orders say nothing, and are left out.
{{ config(materialized='view') }}

with all_orders as (
    select sum(lifetime_orders) as orders from {{ ref('customer_ltv') }}
)

select
    one.product_id,
    one.product_title,
    other.product_id as other_product_id,
    other.product_title as other_product_title,
    pairs.orders,
    {{ share('pairs.orders', 'all_orders.orders') }} as support,
    {{ share('pairs.orders', 'one_sales.orders') }} as confidence,
    {{ share('pairs.orders', 'other_sales.orders') }} as confidence_of_other,
    round(pairs.orders * all_orders.orders / (one_sales.orders * other_sales.orders::numeric), 4)::numeric(20, 4) as lift
from {{ ref('int_product_pairs') }} as pairs
cross join all_orders
inner join {{ ref('int_product_sales') }} as one_sales on one_sales.product_key = pairs.product_key
inner join {{ ref('int_product_sales') }} as other_sales on other_sales.product_key = pairs.other_key
inner join {{ ref('stg_products') }} as one on one.product_key = pairs.product_key
inner join {{ ref('stg_products') }} as other on other.product_key = pairs.other_key
where pairs.orders >= {{ var('basket_orders') }}
    -- The tables of a run are committed one by one: pairs may be of a later moment than what they are divided by, for some seconds.
    and pairs.orders <= least(one_sales.orders, other_sales.orders)
