-- Every mart holds exactly the facts below the cut: the same units and the same money, to the cent. The facts are those of the kept sums,
-- which `ecom_lite check` compares with the table, and of the facts between their cut and this one: few, however many there are.
with facts as (
    select units, revenue
    from realtime.facts_below({{ cut() }})
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
