-- What is new is added to what is here. A changed profile rewrites its row too.
-- depends_on: {{ ref('stg_user_changes') }}
{{ config(unique_key='user_id', indexes=[{'columns': ['user_id'], 'unique': true}]) }}

with new_sums as (
    {{ new_sums(['user_key']) }}
),

new_spans as (
    select user_key, min(ordered_at) as first_order_at, max(ordered_at) as last_order_at
    from {{ ref('int_movements') }}
    where lines = 1 and {{ is_new() }}
    group by user_key
),

touched as (
    select user_key from new_sums
    {%- if is_incremental() %}
    union
    select users.user_key
    from {{ ref('stg_user_changes') }} as changes
    inner join {{ ref('stg_users') }} as users using (user_id)
    where {{ is_new('changes.load_xid') }}
    {%- endif %}
),

customers as (
    select
        users.user_id,
        users.name,
        users.city,
        users.country,
        {% for measure in measures() -%}
        {{ added(measure) }} as {{ measure }},
        {% endfor -%}
        {% if is_incremental() -%}
        coalesce(new_sums.orders, 0) + coalesce(present.lifetime_orders, 0) as orders,
        least(present.first_order_at, new_spans.first_order_at) as first_order_at,
        greatest(present.last_order_at, new_spans.last_order_at) as last_order_at
        {%- else -%}
        new_sums.orders,
        new_spans.first_order_at,
        new_spans.last_order_at
        {%- endif %}
    from touched
    inner join {{ ref('stg_users') }} as users using (user_key)
    left join new_sums using (user_key)
    left join new_spans using (user_key)
    {%- if is_incremental() %}
    left join (select *, items as units from {{ this }}) as present using (user_id)
    where new_sums.user_key is not null or present.user_id is not null
    {%- endif %}
)

select
    user_id,
    name,
    city,
    country,
    orders::bigint as lifetime_orders,
    {{ money('revenue - returns') }} as lifetime_value,
    {{ money('revenue / orders') }} as average_order_value,
    lines::bigint as lines,
    units::bigint as items,
    {{ money('gross') }} as gross,
    {{ money('discounts') }} as discounts,
    {{ money('revenue') }} as revenue,
    returned_units::bigint as returned_units,
    {{ money('returns') }} as returns,
    first_order_at,
    last_order_at,
    {{ date_of('last_order_at') }} - {{ date_of('first_order_at') }} as tenure_days,
    case when orders >= 20 then 'VIP' when orders >= 10 then 'Regular' else 'Casual' end as segment
from customers
