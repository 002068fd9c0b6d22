{# The cut: a run takes exactly the facts below it, so all models of one run hold the same facts. Every transaction below is finished. #}
{% macro cut() -%}
  {%- if execute and var('load_xid_below', none) is none -%}
    {{ exceptions.raise_compiler_error("pass the cut: --vars '{load_xid_below: N}', N from SELECT ops.load_order_cut()") }}
  {%- endif -%}
  {{ var('load_xid_below', 0) | int }}
{%- endmacro %}

{# The cut up to which a relation of ours has taken the facts: it is kept in the relation itself, so a model that failed catches up. #}
{% macro taken(relation) -%}
  (select coalesce(max(load_xid_below), 0) from {{ relation }})
{%- endmacro %}

{# Facts (or changes) below the cut that this model has not taken yet. In the load order, not in event time: late events count. #}
{% macro is_new(load_xid='load_xid') -%}
  {{ load_xid }} < {{ cut() }}
  {%- if is_incremental() %} and {{ load_xid }} >= {{ taken(this) }}{% endif -%}
{%- endmacro %}

{# An amount in the reporting currency, as the marts keep it. #}
{% macro money(amount) -%}
  ({{ amount }})::numeric(20, {{ var('money_decimals', 2) }})
{%- endmacro %}

{# Sums are added to what the model has, so two writers of one model must queue, whoever runs dbt. #}
{% macro one_writer() -%}
  select pg_advisory_xact_lock(hashtextextended('{{ this }}', 0))
{%- endmacro %}
