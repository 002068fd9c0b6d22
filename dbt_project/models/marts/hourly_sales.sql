-- What is new is added to what is here, each movement in its own hour.
{{ config(unique_key='hour', indexes=[{'columns': ['hour'], 'unique': true}]) }}

with new_sums as (
    {{ new_sums(['hour', 'date']) }}
),

hours as (
    {{ all_sums(['hour', 'date'], ['orders']) }}
)

select
    hour,
    date,
    extract(hour from {{ clock_of('hour') }})::integer as hour_of_day,
    orders::bigint as orders,
    {{ kept_measures() }},
    {{ money('revenue - returns') }} as net,
    {{ money('revenue / nullif(orders, 0)') }} as average_order_value
from hours
