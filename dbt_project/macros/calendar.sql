{# The shop's time zone (shop.time_zone): days, weeks, months and hours begin as its clock says. A variable of that name goes before. #}
{% macro zone() -%}
  {%- if var('time_zone', none) or not execute -%}{{ return("'" ~ var('time_zone', 'UTC') ~ "'") }}{%- endif -%}
  {{ return("'" ~ run_query("select time_zone from ops.calendar").rows[0][0] ~ "'") }}
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
