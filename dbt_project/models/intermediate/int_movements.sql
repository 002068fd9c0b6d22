-- Everything that moves money, each on its own day: order lines, and what is booked of returns. The load order of a return is that of
-- its booking, so a model that has taken all below a cut has what it will ever find there.
{{ config(materialized='view') }}

select
    order_id,
    product_key,
    user_key,
    category_key,
    ordered_at,
    order_date,
    ordered_at as moved_at,
    order_date as date,
    order_hour as hour,
    date_trunc('month', order_date)::date as month,
    1::bigint as lines,
    quantity::bigint as units,
    gross::numeric as gross,
    (gross - revenue)::numeric as discounts,
    revenue::numeric as revenue,
    0::bigint as returned_units,
    0::numeric as returns,
    load_xid
from {{ ref('stg_sales') }}
union all
select
    order_id,
    product_key,
    user_key,
    category_key,
    ordered_at,
    order_date,
    returned_at,
    return_date,
    return_hour,
    date_trunc('month', return_date)::date,
    0::bigint,
    0::bigint,
    0::numeric,
    0::numeric,
    0::numeric,
    units,
    amount::numeric,
    booked_xid
from {{ ref('int_returns') }}
where units > 0
