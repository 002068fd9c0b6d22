-- From one row per customer and month: what a cohort is, and what became of it, cost the customers, not their orders.
{{ config(materialized='view', tags=['whole']) }}

with firsts as (
    select user_key, min(month) as cohort_month
    from {{ ref('int_customer_months') }}
    where lines > 0
    group by user_key
),

sizes as (
    select cohort_month, count(*) as customers
    from firsts
    group by cohort_month
),

months as (
    select
        firsts.cohort_month,
        sums.month,
        count(*) filter (where sums.lines > 0) as active_customers,
        sum(sums.orders) as orders,
        sum(sums.revenue - sums.returns) as net
    from firsts
    inner join {{ ref('int_customer_months') }} as sums using (user_key)
    group by firsts.cohort_month, sums.month
)

select
    cohort_month,
    month,
    ((extract(year from month) - extract(year from cohort_month)) * 12 + extract(month from month) - extract(month from cohort_month))::integer
        as months_since,
    customers::bigint as customers,
    active_customers::bigint as active_customers,
    orders::bigint as orders,
    {{ money('net') }} as net,
    {{ share('active_customers', 'customers') }} as retention
from months
inner join sizes using (cohort_month)
