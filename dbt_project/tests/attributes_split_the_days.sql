-- Every attribute splits each day into its values: their lines, units and revenue are those of the day.
{%- set declared = attributes(ref('stg_sales')) %}
with days as (
    select known.attribute, days.date, days.lines, days.units, days.revenue
    from {{ ref('daily_sales') }} as days
    cross join (
        {% for name, type in declared %}select '{{ name }}'::text as attribute{{ ' union all ' if not loop.last }}{% endfor %}
        {%- if not declared %}select null::text as attribute where false{% endif %}
    ) as known
    where days.lines > 0
),

split as (
    select attribute, date, sum(lines) as lines, sum(units) as units, sum(revenue) as revenue
    from {{ ref('sales_by_attribute') }}
    group by attribute, date
)

select attribute, date, days.lines, split.lines as split_lines, days.revenue, split.revenue as split_revenue
from days
full join split using (attribute, date)
where (days.lines, days.units, days.revenue) is distinct from (split.lines, split.units, split.revenue)
