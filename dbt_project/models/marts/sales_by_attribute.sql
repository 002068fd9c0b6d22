-- Each line counts once for every attribute. An attribute has a cut of its own, so one that is declared later takes in all facts.
-- depends_on: {{ ref('stg_sales') }}
-- depends_on: {{ source('ops', 'mart_cuts') }}
{%- set declared = attributes(ref('stg_sales')) %}
{{ config(
    unique_key=['attribute', 'value', 'date'],
    indexes=[{'columns': ['attribute', 'value', 'date'], 'unique': true}],
    post_hook="{{ keep_attribute_cuts() }}",
) }}

{% if declared -%}
with cuts (attribute, taken) as (
    values
    {%- for name, type in declared %}
    ('{{ name }}', {{ taken(this, name) if is_incremental() else 0 }}::bigint){{ ',' if not loop.last }}
    {%- endfor %}
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
    where sales.load_xid < {{ cut() }} and sales.load_xid >= {{ oldest_cut(declared) }} and sales.load_xid >= cuts.taken
    group by said.attribute, said.value, sales.order_date
)

select
    attribute,
    value,
    date,
    ({{ added('lines', 'new_sales') }})::bigint as lines,
    ({{ added('units', 'new_sales') }})::bigint as units,
    {{ money(added('revenue', 'new_sales')) }} as revenue
from new_sales
{%- if is_incremental() %}
left join {{ this }} as present using (attribute, value, date)
{%- endif %}
{%- else -%}
select
    null::text as attribute,
    null::text as value,
    null::date as date,
    0::bigint as lines,
    0::bigint as units,
    {{ money('0') }} as revenue
where false
{%- endif %}
