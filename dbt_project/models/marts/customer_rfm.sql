-- Scores by fifths of all customers. Equal values have equal scores (ntile would part them by chance): the share of those below decides.
{{ config(materialized='view', tags=['whole']) }}

with customers as (
    select
        user_id,
        (max(last_order_on) over ()) - last_order_on as recency_days,
        lifetime_orders as frequency,
        lifetime_value as monetary
    from (select *, {{ date_of('last_order_at') }} as last_order_on from {{ ref('customer_ltv') }}) as customers
),

scored as (
    select
        *,
        {{ fifth('recency_days desc') }} as recency_score,
        {{ fifth('frequency') }} as frequency_score,
        {{ fifth('monetary') }} as monetary_score
    from customers
)

select
    user_id,
    recency_days,
    frequency,
    monetary,
    recency_score,
    frequency_score,
    monetary_score,
    case
        when recency_score >= 4 and frequency_score >= 4 then 'Champions'
        when recency_score >= 3 and frequency_score >= 3 then 'Loyal'
        when recency_score >= 4 and frequency = 1 then 'New'
        when recency_score >= 3 then 'Promising'
        when frequency_score >= 4 then 'Cannot lose'
        when frequency_score >= 3 then 'At risk'
        when recency_score = 2 then 'About to sleep'
        else 'Lost'
    end as segment
from scored
