{# What analysts read is in `marts`; what it is made from, in `intermediate`, whatever the folder. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ custom_schema_name or target.schema }}
{%- endmacro %}
