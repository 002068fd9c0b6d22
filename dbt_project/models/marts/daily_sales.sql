-- What is new is added to what is here. Cancellations and returns are on their own day; beside them, what has come back of the day's orders.
{{ config(unique_key='date', indexes=[{'columns': ['date'], 'unique': true}]) }}

with new_sums as (
    {{ new_sums(['date']) }}
),

new_customers as (
    select date, count(*) as customers
    from {{ ref('int_customer_days') }}
    where {{ is_new('first_load_xid') }}
    group by date
),

came_back as (
    select order_date as date, coalesce(sum(returns), 0) as returned_of_orders
    from {{ ref('int_movements') }}
    where returned_units > 0 and {{ is_new() }}
    group by order_date
),

days as (
    select
        date,
        {% for measure in measures() -%}
        {{ added(measure) }} as {{ measure }},
        {% endfor -%}
        {{ added('orders') }} as orders,
        {{ added('customers', 'new_customers') }} as customers,
        {{ added('returned_of_orders', 'came_back') }} as returned_of_orders
    from new_sums
    full join came_back using (date)
    left join new_customers using (date)
    {%- if is_incremental() %}
    left join {{ this }} as present using (date)
    {%- endif %}
)

select
    date,
    orders::bigint as orders,
    {{ kept_measures() }},
    {{ money('revenue - returns') }} as net,
    customers::bigint as customers,
    {{ money('revenue / nullif(orders, 0)') }} as average_order_value,
    {{ money('returned_of_orders') }} as returned_of_orders,
    {{ share('returned_of_orders', 'revenue') }} as returned_share
from days
