-- Each line counts once for every attribute. An attribute has a cut of its own, so one that is declared later takes in all facts.
-- depends_on: {{ ref('stg_sales') }}
{{ config(
    unique_key=['attribute', 'value', 'date'],
    indexes=[{'columns': ['attribute', 'value', 'date'], 'unique': true}, {'columns': ['attribute', 'load_xid_below']}],
) }}
{%- set declared = attributes(ref('stg_sales')) %}

{% if declared -%}
with cuts as (
    select
        attribute,
        {% if is_incremental() %}
        coalesce((select max(present.load_xid_below) from {{ this }} as present where present.attribute = known.attribute), 0) as taken
        {% else %}
        0 as taken
        {% endif %}
    from (values {% for name, type in declared %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}) as known (attribute)
),

new_sales as (
    select
        said.attribute,
        said.value,
        sales.order_date as date,
        count(*) as lines,
        sum(sales.quantity) as units,
        coalesce(sum(sales.revenue), 0) as revenue
    from {{ ref('stg_sales') }} as sales
    cross join lateral (
        values {% for name, type in declared %}('{{ name }}', {{ attribute_text(name, type) }}){{ ', ' if not loop.last }}{% endfor %}
    ) as said (attribute, value)
    inner join cuts using (attribute)
    where sales.load_xid < {{ cut() }} and sales.load_xid >= (select min(taken) from cuts) and sales.load_xid >= cuts.taken
    group by said.attribute, said.value, sales.order_date
)

select
    attribute,
    value,
    date,
    (new_sales.lines{% if is_incremental() %} + coalesce(present.lines, 0){% endif %})::bigint as lines,
    (new_sales.units{% if is_incremental() %} + coalesce(present.units, 0){% endif %})::bigint as units,
    {{ money('new_sales.revenue' ~ (' + coalesce(present.revenue, 0)' if is_incremental() else '')) }} as revenue,
    {{ cut() }}::bigint as load_xid_below
from new_sales
{% if is_incremental() %}
left join {{ this }} as present using (attribute, value, date)
{% endif %}
{%- else -%}
select
    null::text as attribute,
    null::text as value,
    null::date as date,
    0::bigint as lines,
    0::bigint as units,
    {{ money('0') }} as revenue,
    {{ cut() }}::bigint as load_xid_below
where false
{%- endif %}
