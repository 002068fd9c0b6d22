-- (order_id, product_key) is the grain of the facts, so each line of a product is one order of it.
{{ config(
    unique_key='product_key',
    indexes=[{'columns': ['product_key'], 'unique': true}, {'columns': ['load_xid_below']}],
) }}

with new_sales as (
    select product_key, sum(quantity) as units, coalesce(sum(revenue), 0) as revenue, count(*) as orders
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
    group by product_key
)

select
    new_sales.product_key,
    (new_sales.units{% if is_incremental() %} + coalesce(present.units, 0){% endif %})::bigint as units,
    {{ money('new_sales.revenue' ~ (' + coalesce(present.revenue, 0)' if is_incremental() else '')) }} as revenue,
    (new_sales.orders{% if is_incremental() %} + coalesce(present.orders, 0){% endif %})::bigint as orders,
    {{ cut() }}::bigint as load_xid_below
from new_sales
{% if is_incremental() %}
left join {{ this }} as present using (product_key)
{% endif %}
