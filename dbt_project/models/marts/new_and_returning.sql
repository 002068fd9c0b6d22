-- Whole days are counted anew: those with new movements, and those that lost a customer's first order to a day before.
{{ config(unique_key='date', indexes=[{'columns': ['date'], 'unique': true}]) }}

with touched as (
    select distinct date
    from {{ ref('int_movements') }}
    where {{ is_new() }}
    {%- if is_incremental() %}
    union
    select first_before.date
    from (select distinct user_key from {{ ref('int_movements') }} where lines = 1 and {{ is_new() }}) as news
    cross join lateral (
        select min(days.date) as date
        from {{ ref('int_customer_days') }} as days
        where days.user_key = news.user_key and days.first_load_xid < {{ taken(this) }}
    ) as first_before
    inner join {{ ref('int_customer_days') }} as days on days.user_key = news.user_key and days.date = first_before.date
    where not days.is_first_day
    {%- endif %}
)

select
    days.date,
    count(*) filter (where days.lines > 0)::bigint as customers,
    count(*) filter (where days.is_first_day)::bigint as new_customers,
    count(*) filter (where days.lines > 0 and not days.is_first_day)::bigint as returning_customers,
    coalesce(sum(days.orders) filter (where days.is_first_day), 0)::bigint as orders_of_new,
    coalesce(sum(days.orders) filter (where not days.is_first_day), 0)::bigint as orders_of_returning,
    {{ money('coalesce(sum(days.revenue - days.returns) filter (where days.is_first_day), 0)') }} as net_of_new,
    {{ money('coalesce(sum(days.revenue - days.returns) filter (where not days.is_first_day), 0)') }} as net_of_returning
from touched
inner join {{ ref('int_customer_days') }} as days using (date)
group by days.date
