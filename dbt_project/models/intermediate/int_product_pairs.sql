-- Orders with both products. Only the first lines of an order, in the load order, make pairs: a line that comes later moves none of
-- those before it, and an order of a thousand lines does not make a million pairs.
{{ config(
    unique_key=['product_key', 'other_key'],
    indexes=[{'columns': ['product_key', 'other_key'], 'unique': true}, {'columns': ['orders']}],
) }}

with new_orders as (
    select distinct order_id
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
),

lines as (
    select
        sales.order_id,
        sales.product_key,
        {{ is_new('sales.load_xid') }} as is_new,
        row_number() over (partition by sales.order_id order by sales.load_xid, sales.product_key) as place
    from new_orders
    inner join {{ ref('stg_sales') }} as sales using (order_id)
    where sales.load_xid < {{ cut() }}
),

new_pairs as (
    select one.product_key, other.product_key as other_key, count(*) as orders
    from lines as one
    inner join lines as other on other.order_id = one.order_id and other.product_key > one.product_key
    where one.place <= {{ var('basket_lines') }} and other.place <= {{ var('basket_lines') }} and (one.is_new or other.is_new)
    group by one.product_key, other.product_key
)

select
    product_key,
    other_key,
    ({{ added('orders', 'new_pairs') }})::bigint as orders
from new_pairs
{%- if is_incremental() %}
left join {{ this }} as present using (product_key, other_key)
{%- endif %}
