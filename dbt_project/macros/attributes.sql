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

{% macro attribute_names(declared) -%}
  {{ return(declared | map(attribute=0) | list) }}
{%- endmacro %}

{# From where a run reads on for the attribute that is furthest behind. #}
{% macro oldest_cut(declared) -%}
  {%- if not is_incremental() -%}{{ return(0) }}{%- endif -%}
  {%- set cuts = [] -%}
  {%- for name, type in declared %}{% do cuts.append(taken(this, name)) %}{% endfor -%}
  {{ return(cuts | min) }}
{%- endmacro %}
