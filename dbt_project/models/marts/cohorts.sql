-- In the month of their first orders all customers of a cohort are active: that row says how many they are.
{{ config(materialized='view') }}

select
    sums.cohort_month,
    sums.month,
    (
        (extract(year from sums.month) - extract(year from sums.cohort_month)) * 12
        + extract(month from sums.month) - extract(month from sums.cohort_month)
    )::integer as months_since,
    firsts.active_customers as customers,
    sums.active_customers,
    sums.orders,
    sums.net,
    {{ share('sums.active_customers', 'firsts.active_customers') }} as retention
from {{ ref('int_cohort_months') }} as sums
inner join {{ ref('int_cohort_months') }} as firsts on firsts.cohort_month = sums.cohort_month and firsts.month = sums.cohort_month
