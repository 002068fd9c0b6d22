-- Orders with both products. Only the first lines of an order, in the load order, make pairs: a line that comes later moves none of
-- those before it, and an order of a thousand lines does not make a million pairs.
{{ config(
    unique_key=['product_key', 'other_key'],
    indexes=[{'columns': ['product_key', 'other_key'], 'unique': true}, {'columns': ['orders']}],
) }}

{# In the load order, so the later line of a pair says whether the pair is new. #}
{%- set lines -%}
    (array_agg(product_key order by load_xid, product_key))[:{{ var('basket_lines') }}] as products,
    (array_agg(load_xid order by load_xid, product_key))[:{{ var('basket_lines') }}] as loads
{%- endset %}

with orders as (
    {% if is_incremental() %}
    -- Order by order: a join would read all facts.
    select lines.products, lines.loads
    from (select distinct order_id from {{ ref('stg_sales') }} where {{ is_new() }}) as new_orders
    cross join lateral (
        select
            {{ lines }}
        from {{ ref('stg_sales') }} as sales
        where sales.order_id = new_orders.order_id and sales.load_xid < {{ cut() }}
    ) as lines
    {% else %}
    select
        {{ lines }}
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
    group by order_id
    having count(*) > 1
    {% endif %}
),

new_pairs as (
    select
        least(products[earlier], products[later]) as product_key,
        greatest(products[earlier], products[later]) as other_key,
        count(*) as orders
    from orders
    cross join generate_subscripts(products, 1) as later
    cross join generate_series(1, later - 1) as earlier
    where {{ is_new('loads[later]') }}
    group by 1, 2
)

select
    product_key,
    other_key,
    ({{ added('orders', 'new_pairs') }})::bigint as orders
from new_pairs
{%- if is_incremental() %}
left join {{ this }} as present using (product_key, other_key)
{%- endif %}
