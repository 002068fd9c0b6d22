-- What the touched customers are to the cohorts now, less what they were: a late order that comes before a customer's first moves all
-- of that customer to the cohort before, and may leave a row of nobody, which goes.
-- depends_on: {{ ref('int_movements') }}
{{ config(
    unique_key=['cohort_month', 'month'],
    indexes=[{'columns': ['cohort_month', 'month'], 'unique': true}],
    post_hook='delete from {{ this }} where customers = 0',
) }}

{% if is_incremental() -%}
with new_sums as (
    {{ new_sums(['user_key', 'month']) }}
),

{% else -%}
with
{% endif -%}
sums as (
    select user_key, month, lines, orders, revenue - returns as net, lines + returned_units as moved
    from {{ ref('int_customer_months') }}
    {%- if is_incremental() %}
    where user_key in (select user_key from new_sums)
    {%- endif %}
),

states as (
    select user_key, month, 1 as sign, lines, orders, net
    from sums
    {%- if is_incremental() %}
    union all
    select
        user_key,
        month,
        -1,
        sums.lines - coalesce(new_sums.lines, 0),
        sums.orders - coalesce(new_sums.orders, 0),
        sums.net - coalesce(new_sums.revenue - new_sums.returns, 0)
    from sums
    left join new_sums using (user_key, month)
    where sums.moved > coalesce(new_sums.lines + new_sums.returned_units, 0)
    {%- endif %}
),

customers as (
    select *, min(month) filter (where lines > 0) over (partition by user_key, sign) as cohort_month
    from states
),

changes as (
    select
        cohort_month,
        month,
        sum(sign) as customers,
        coalesce(sum(sign) filter (where lines > 0), 0) as active_customers,
        sum(sign * orders) as orders,
        sum(sign * net) as net
    from customers
    where cohort_month is not null
    group by cohort_month, month
)

select
    cohort_month,
    month,
    ({{ added('customers', 'changes') }})::bigint as customers,
    ({{ added('active_customers', 'changes') }})::bigint as active_customers,
    ({{ added('orders', 'changes') }})::bigint as orders,
    {{ money(added('net', 'changes')) }} as net
from changes
{%- if is_incremental() %}
left join {{ this }} as present using (cohort_month, month)
{%- endif %}
