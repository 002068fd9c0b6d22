-- New lines are added to what is here; the fact's primary key tells whether an order was counted before. The cost follows the
-- new lines, not the age of the warehouse. A changed profile rewrites its row too.
-- depends_on: {{ ref('stg_user_changes') }}
{{ config(
    unique_key='user_id',
    indexes=[{'columns': ['user_id'], 'unique': true}, {'columns': ['load_xid_below']}],
) }}

with new_orders as (
    select
        user_key,
        order_id,
        sum(quantity) as items,
        coalesce(sum(revenue), 0) as revenue,
        min(ordered_at) as first_order_at,
        max(ordered_at) as last_order_at
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
    group by user_key, order_id
),

new_sales as (
    select
        user_key,
        {% if is_incremental() %}
        count(*) filter (where not exists (
            select 1
            from {{ ref('stg_sales') }} as earlier
            where earlier.order_id = new_orders.order_id
                and earlier.user_key = new_orders.user_key
                and earlier.load_xid < {{ taken(this) }}
        )) as orders,
        {% else %}
        count(*) as orders,
        {% endif %}
        sum(items) as items,
        coalesce(sum(revenue), 0) as revenue,
        min(first_order_at) as first_order_at,
        max(last_order_at) as last_order_at
    from new_orders
    group by user_key
),

customers as (
    {% if is_incremental() %}
    select
        users.user_id,
        users.name,
        users.city,
        users.country,
        coalesce(present.lifetime_orders, 0) + coalesce(new_sales.orders, 0) as lifetime_orders,
        coalesce(present.lifetime_value, 0) + coalesce(new_sales.revenue, 0) as lifetime_value,
        coalesce(present.items, 0) + coalesce(new_sales.items, 0) as items,
        least(present.first_order_at, new_sales.first_order_at) as first_order_at,
        greatest(present.last_order_at, new_sales.last_order_at) as last_order_at
    from (
        select user_key from new_sales
        union
        select users.user_key
        from {{ ref('stg_user_changes') }} as changes
        inner join {{ ref('stg_users') }} as users using (user_id)
        where {{ is_new('changes.load_xid') }}
    ) as touched
    inner join {{ ref('stg_users') }} as users using (user_key)
    left join new_sales using (user_key)
    left join {{ this }} as present using (user_id)
    where new_sales.user_key is not null or present.user_id is not null
    {% else %}
    select
        users.user_id,
        users.name,
        users.city,
        users.country,
        new_sales.orders as lifetime_orders,
        new_sales.revenue as lifetime_value,
        new_sales.items,
        new_sales.first_order_at,
        new_sales.last_order_at
    from new_sales
    inner join {{ ref('stg_users') }} as users using (user_key)
    {% endif %}
)

select
    user_id,
    name,
    city,
    country,
    lifetime_orders::bigint as lifetime_orders,
    {{ money('lifetime_value') }} as lifetime_value,
    {{ money('lifetime_value / lifetime_orders') }} as average_order_value,
    items::bigint as items,
    first_order_at,
    last_order_at,
    (last_order_at at time zone 'UTC')::date - (first_order_at at time zone 'UTC')::date as tenure_days,
    case when lifetime_orders >= 20 then 'VIP' when lifetime_orders >= 10 then 'Regular' else 'Casual' end as segment,
    {{ cut() }}::bigint as load_xid_below
from customers
