{# A view is replaced in place: dbt's own way drops the old one, and with it, for a moment in every run, each view that stands on it.
   Where the columns have changed it is dropped after all, in a full refresh only. #}
{% materialization view, adapter='postgres' %}
  {%- set target = this.incorporate(type='view') -%}
  {%- set existing = load_cached_relation(this) -%}
  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}
  {%- if existing is not none and not existing.is_view -%}
    {%- do adapter.drop_relation(existing) -%}
  {%- elif existing is not none and should_full_refresh() -%}
    {%- set there = adapter.get_columns_in_relation(existing) | map(attribute='name') | list -%}
    {%- set wanted = get_column_schema_from_query(sql) | map(attribute='name') | list -%}
    {%- if wanted[: there | length] != there -%}{%- do adapter.drop_relation(existing) -%}{%- endif -%}
  {%- endif -%}
  {%- if config.get('contract').enforced -%}{{ get_assert_columns_equivalent(sql) }}{%- endif -%}
  {% call statement('main') -%}
    create or replace view {{ target }} as (
      {{ sql }}
    )
  {%- endcall %}
  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}
