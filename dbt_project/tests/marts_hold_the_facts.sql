-- Every mart holds exactly the facts below the cut: the same units and the same money, to the cent.
with facts as (
    select coalesce(sum(quantity), 0) as units, coalesce(sum(revenue), 0) as revenue
    from {{ ref('stg_sales') }}
    where load_xid < {{ cut() }}
),

marts as (
    select 'customer_ltv' as mart, sum(items) as units, sum(revenue) as revenue from {{ ref('customer_ltv') }}
    union all
    select 'product_performance', sum(units), sum(revenue) from {{ ref('product_performance') }}
    union all
    select 'daily_sales', sum(units), sum(revenue) from {{ ref('daily_sales') }}
)

select mart, marts.units, facts.units as fact_units, marts.revenue, facts.revenue as fact_revenue
from marts
cross join facts
where coalesce(marts.units, 0) <> facts.units or coalesce(marts.revenue, 0) <> facts.revenue
