{# The attributes ([events.attributes]) that a relation has columns of, as (name, type); none while dbt only parses. Not ops.attributes
   alone: one that is declared while dbt runs is in no view yet. #}
{% macro attributes(relation) -%}
  {%- set declared = source('ops', 'attributes') -%}
  {%- if not execute -%}{{ return([]) }}{%- endif -%}
  {%- set found = run_query(
    "select a.name, a.type from " ~ declared ~ " a join pg_attribute c on c.attrelid = to_regclass('" ~ relation ~ "') "
    "and c.attname = a.name and not c.attisdropped order by a.declared_at, a.name"
  ) -%}
  {{ return(found.rows) }}
{%- endmacro %}

{# The value of an attribute as a text; a line without one is among '(none)'. #}
{% macro attribute_text(name, type) -%}
  {%- set column = adapter.quote(name) -%}
  coalesce({{ 'trim_scale(' ~ column ~ ')' if type == 'number' else column }}::text, '(none)')
{%- endmacro %}

{# What the model has taken of each attribute. One that was declared after the model was made has no row in it yet. #}
{% macro keep_attribute_cuts() -%}
  {%- set declared = attributes(ref('stg_sales')) -%}
  {%- if declared -%}
    insert into {{ source('ops', 'mart_cuts') }} (model, part, load_xid_below)
    select '{{ this.name }}', part, {{ cut() }}
    from (values {% for name, type in declared %}('{{ name }}'){{ ', ' if not loop.last }}{% endfor %}) as known (part)
    where exists (select 1 from {{ this }} as present where present.attribute = known.part)
    on conflict (model, part) do update set load_xid_below = excluded.load_xid_below
  {%- endif -%}
{%- endmacro %}

{# From where a run reads on for the attribute that is furthest behind. #}
{% macro oldest_cut(declared) -%}
  {%- if not is_incremental() -%}{{ return(0) }}{%- endif -%}
  {%- set cuts = [] -%}
  {%- for name, type in declared %}{% do cuts.append(taken(this, name)) %}{% endfor -%}
  {{ return('least(' ~ cuts | join(', ') ~ ')') }}
{%- endmacro %}
