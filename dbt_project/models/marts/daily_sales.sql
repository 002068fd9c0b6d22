-- New lines are added to what is here; an order is new to a day unless the fact's primary key finds an earlier line of it there.
{{ config(
    unique_key='date',
    indexes=[{'columns': ['date'], 'unique': true}, {'columns': ['load_xid_below']}],
) }}

with new_orders as (
    select order_date, order_id, count(*) as lines, sum(quantity) as units, coalesce(sum(revenue), 0) as revenue
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
    group by order_date, order_id
),

new_sales as (
    select
        order_date,
        sum(lines) as lines,
        {% if is_incremental() %}
        count(*) filter (where not exists (
            select 1
            from {{ ref('stg_sales') }} as earlier
            where earlier.order_id = new_orders.order_id
                and earlier.order_date = new_orders.order_date
                and earlier.load_xid < {{ taken(this) }}
        )) as orders,
        {% else %}
        count(*) as orders,
        {% endif %}
        sum(units) as units,
        coalesce(sum(revenue), 0) as revenue
    from new_orders
    group by order_date
),

new_customers as (
    select order_date, count(*) as customers
    from {{ ref('int_customer_days') }}
    where {{ is_new('first_load_xid') }}
    group by order_date
),

days as (
    select
        new_sales.order_date as date,
        {% if is_incremental() %}
        coalesce(present.lines, 0) + new_sales.lines as lines,
        coalesce(present.orders, 0) + new_sales.orders as orders,
        coalesce(present.units, 0) + new_sales.units as units,
        coalesce(present.revenue, 0) + new_sales.revenue as revenue,
        coalesce(present.customers, 0) + coalesce(new_customers.customers, 0) as customers
        {% else %}
        new_sales.lines,
        new_sales.orders,
        new_sales.units,
        new_sales.revenue,
        new_customers.customers
        {% endif %}
    from new_sales
    left join new_customers using (order_date)
    {% if is_incremental() %}
    left join {{ this }} as present on present.date = new_sales.order_date
    {% endif %}
)

select
    date,
    lines::bigint as lines,
    orders::bigint as orders,
    units::bigint as units,
    {{ money('revenue') }} as revenue,
    customers::bigint as customers,
    {{ money('revenue / orders') }} as average_order_value,
    {{ cut() }}::bigint as load_xid_below
from days
