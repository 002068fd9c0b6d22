-- What is new is added to what is here, each movement in its own hour.
{{ config(unique_key='hour', indexes=[{'columns': ['hour'], 'unique': true}]) }}

with new_sums as (
    {{ new_sums(['hour', 'date']) }}
),

hours as (
    select
        hour,
        date,
        {% for measure in measures() -%}
        {{ added(measure) }} as {{ measure }},
        {% endfor -%}
        {{ added('orders') }} as orders
    from new_sums
    {%- if is_incremental() %}
    left join {{ this }} as present using (hour, date)
    {%- endif %}
)

select
    hour,
    date,
    extract(hour from {{ clock_of('hour') }})::integer as hour_of_day,
    lines::bigint as lines,
    orders::bigint as orders,
    units::bigint as units,
    {{ money('gross') }} as gross,
    {{ money('discounts') }} as discounts,
    {{ money('revenue') }} as revenue,
    returned_units::bigint as returned_units,
    {{ money('returns') }} as returns,
    {{ money('revenue - returns') }} as net,
    {{ money('revenue / nullif(orders, 0)') }} as average_order_value
from hours
