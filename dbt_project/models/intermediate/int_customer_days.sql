-- Distinct customers of a day cannot be added up, so the pairs seen are kept, each with the load that brought its first line, and
-- whether the day is the customer's first. A late order that comes before it takes that from the day that had it.
{{ config(
    unique_key=['user_key', 'date'],
    indexes=[
        {'columns': ['user_key', 'date'], 'unique': true},
        {'columns': ['date']},
        {'columns': ['user_key', 'is_first_day']},
        {'columns': ['first_load_xid']},
    ],
) }}

with new_sums as (
    {{ new_sums(['user_key', 'date']) }}
),

first_loads as (
    select user_key, date, min(load_xid) as first_load_xid
    from {{ ref('int_movements') }}
    where lines = 1 and {{ is_new() }}
    group by user_key, date
),

{% if is_incremental() %}
first_days as (
    select news.user_key, least(news.date, (
        select present.date
        from {{ this }} as present
        where present.user_key = news.user_key and present.is_first_day
    )) as date
    from (select user_key, min(date) as date from new_sums where lines > 0 group by user_key) as news
),

-- The days that lose it have no new line.
touched as (
    select user_key, date from new_sums
    union
    select present.user_key, present.date
    from first_days
    inner join {{ this }} as present using (user_key)
    where present.is_first_day and present.date <> first_days.date
)
{% else %}
first_days as (
    select user_key, min(date) as date from new_sums where lines > 0 group by user_key
),

touched as (
    select user_key, date from new_sums
)
{% endif %}

select
    touched.user_key,
    touched.date,
    ({{ added('lines') }})::bigint as lines,
    ({{ added('orders') }})::bigint as orders,
    {{ money(added('revenue')) }} as revenue,
    {{ money(added('returns')) }} as returns,
    {% if is_incremental() -%}
    coalesce(present.first_load_xid, first_loads.first_load_xid) as first_load_xid,
    case when first_days.date is null then coalesce(present.is_first_day, false) else first_days.date = touched.date end as is_first_day
    {%- else -%}
    first_loads.first_load_xid,
    coalesce(first_days.date = touched.date, false) as is_first_day
    {%- endif %}
from touched
left join new_sums using (user_key, date)
left join first_loads using (user_key, date)
{%- if is_incremental() %}
left join {{ this }} as present using (user_key, date)
{%- endif %}
left join first_days on first_days.user_key = touched.user_key
