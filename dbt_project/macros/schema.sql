{# Every relation of this project lives in `marts`, whatever the folder. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
  {{ target.schema }}
{%- endmacro %}
