{# The measures of money and goods, each with one meaning everywhere: see int_movements in intermediate.yml. net = gross - discounts - returns. #}
{% macro measures() -%}
  {{ return(['lines', 'units', 'gross', 'discounts', 'revenue', 'returned_units', 'returns']) }}
{%- endmacro %}

{# What this run's movements add to each group of `grain` (columns of int_movements), and its orders that are new to the group: those
   with no earlier line there. A line that has been taken is found by the primary key of the facts. #}
{% macro new_sums(grain) -%}
  select
      {{ grain | join(', ') }},
      {% if is_incremental() -%}
      count(*) filter (where lines > 0 and not exists (
          select 1
          from {{ ref('int_movements') }} as earlier
          where earlier.order_id = new_orders.order_id
              {%- for column in grain %}
              and earlier.{{ column }} = new_orders.{{ column }}
              {%- endfor %}
              and earlier.lines = 1
              and earlier.load_xid < {{ taken(this) }}
      )) as orders,
      {%- else -%}
      count(*) filter (where lines > 0) as orders,
      {%- endif %}
      {%- for measure in measures() %}
      coalesce(sum({{ measure }}), 0) as {{ measure }}{{ ',' if not loop.last }}
      {%- endfor %}
  from (
      select
          {{ grain | join(', ') }},
          order_id,
          {%- for measure in measures() %}
          sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
          {%- endfor %}
      from {{ ref('int_movements') }}
      where {{ is_new() }}
      group by {{ grain | join(', ') }}, order_id
  ) as new_orders
  group by {{ grain | join(', ') }}
{%- endmacro %}

{# A measure with what the model has of it already (`present`). #}
{% macro added(measure, source='new_sums') -%}
  coalesce({{ source }}.{{ measure }}, 0){% if is_incremental() %} + coalesce(present.{{ measure }}, 0){% endif %}
{%- endmacro %}

{# `new_sums` and what the model has of them already, by `grain`. #}
{% macro all_sums(grain, more=[]) -%}
  select
      {{ grain | join(', ') }},
      {%- for measure in measures() + more %}
      {{ added(measure) }} as {{ measure }}{{ ',' if not loop.last }}
      {%- endfor %}
  from new_sums
  {%- if is_incremental() %}
  left join {{ this }} as present using ({{ grain | join(', ') }})
  {%- endif %}
{%- endmacro %}

{# The measures in the types that tables keep. #}
{% macro kept_measures() -%}
  {%- for measure in measures() -%}
  {{ measure ~ '::bigint' if measure in ['lines', 'units', 'returned_units'] else money(measure) }} as {{ measure }}{{ ',\n    ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{# The sums of each group of `grain`, with what is new: the whole of a model that has nothing else. #}
{% macro sums_by(grain) -%}
with new_sums as (
    {{ new_sums(grain) }}
)

select
    {{ grain | join(', ') }},
    orders::bigint as orders,
    {{ kept_measures() }}
from (
    {{ all_sums(grain, ['orders']) }}
) as sums
{%- endmacro %}
