{# The shop's time zone: days, weeks, months and hours begin as its clock says. Used in staging only, so a date is computed once. #}
{% macro zone() -%}
  '{{ var('time_zone', 'UTC') }}'
{%- endmacro %}

{% macro date_of(moment) -%}
  ({{ moment }} at time zone {{ zone() }})::date
{%- endmacro %}

{# As a moment: in autumn two hours have the same name. #}
{% macro hour_of(moment) -%}
  date_trunc('hour', {{ moment }}, {{ zone() }})
{%- endmacro %}

{# What the shop's clock showed. #}
{% macro clock_of(moment) -%}
  ({{ moment }} at time zone {{ zone() }})
{%- endmacro %}
