-- A period without sales has no row, so the one before is found by its date and counts as 0: the row before would be the wrong one.
{{ config(materialized='view') }}

with days as (
    select
        categories.category,
        sums.date,
        sums.units,
        sums.orders,
        sums.revenue - sums.returns as net
    from {{ ref('int_category_days') }} as sums
    inner join {{ source('warehouse', 'dim_category') }} as categories using (category_key)
),

newest as (
    select max(date) as date from days
),

periods as (
    select category, 'day' as period, date as begins, date + 1 as ends, units, net
    from days
    union all
    select
        category,
        'week',
        date_trunc('week', date)::date,
        date_trunc('week', date)::date + 7,
        sum(units),
        sum(net)
    from days
    group by category, date_trunc('week', date)
    union all
    select
        category,
        'month',
        date_trunc('month', date)::date,
        (date_trunc('month', date) + interval '1 month')::date,
        sum(units),
        sum(net)
    from days
    group by category, date_trunc('month', date)
)

select
    this_one.category,
    this_one.period,
    this_one.begins,
    this_one.ends <= newest.date as is_complete,
    this_one.units::bigint as units,
    {{ money('this_one.net') }} as net,
    {{ money('coalesce(one_before.net, 0)') }} as net_before,
    {{ growth('this_one.net', 'one_before.net') }} as change,
    {{ money("case when this_one.period = 'day' then coalesce(week_before.net, 0) end") }} as net_same_weekday,
    {{ growth('this_one.net', 'week_before.net') }} as change_same_weekday
from periods as this_one
cross join newest
left join periods as one_before
    on one_before.category = this_one.category
        and one_before.period = this_one.period
        and one_before.ends = this_one.begins
left join periods as week_before
    on this_one.period = 'day'
        and week_before.period = 'day'
        and week_before.category = this_one.category
        and week_before.begins = this_one.begins - 7
