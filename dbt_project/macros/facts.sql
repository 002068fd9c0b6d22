{# The cut: a run takes exactly the facts below it, so all models of one run hold the same facts. Every transaction below is finished. #}
{% macro cut() -%}
  {%- if execute and var('load_xid_below', none) is none -%}
    {{ exceptions.raise_compiler_error("pass the cut: --vars '{load_xid_below: N}', N from SELECT ops.load_order_cut()") }}
  {%- endif -%}
  {{ var('load_xid_below', 0) | int }}
{%- endmacro %}

{# The cut up to which a model has taken what was loaded. It is written in the transaction that builds the model, so one that failed, or
   was killed, catches up. One beyond the cut of this run is refused: the model would go back, and the next run add the same facts again.
   A literal: behind a sub-select PostgreSQL expects a third of all facts. Read behind the model's lock, in the transaction that will build
   it: another run that is at the model now would add the same facts. #}
{% macro taken(model, part='') -%}
  {%- if var('plan', false) -%}{{ return(plan_taken(model.name, part)) }}{%- endif -%}
  {%- if not execute -%}{{ return(0) }}{%- endif -%}
  {%- do run_query(lock_of(model)) -%}
  {%- set found = run_query(
    "select load_xid_below from " ~ source('ops', 'mart_cuts') ~ " where model = '" ~ model.name ~ "' and part = '" ~ part ~ "'"
  ).rows -%}
  {%- if not found and part == '' -%}
    {{ exceptions.raise_compiler_error(model.name ~ " is there, but nothing says which facts it holds: run `ecom_lite refresh --full`") }}
  {%- endif -%}
  {%- if found and found[0][0] | int > cut() | int -%}
    {{ exceptions.raise_compiler_error(
      model.name ~ " holds facts up to " ~ found[0][0] ~ " already: pass a newer cut than " ~ cut() ~ ", from SELECT ops.load_order_cut()"
    ) }}
  {%- endif -%}
  {{ return(found[0][0] if found else 0) }}
{%- endmacro %}

{# A hook of every model that adds up: what it holds from now on. #}
{% macro keep_cut() -%}
  {%- if config.get('materialized') == 'incremental' -%}
    insert into {{ source('ops', 'mart_cuts') }} (model, load_xid_below)
    values ('{{ this.name }}', {{ cut() }})
    on conflict (model, part) do update set load_xid_below = excluded.load_xid_below
  {%- endif -%}
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
  {%- if config.get('materialized') == 'incremental' -%}
    {{ lock_of(this) }}
  {%- endif -%}
{%- endmacro %}

{% macro lock_of(model) -%}
  select pg_advisory_xact_lock(hashtextextended('{{ model }}', 0))
{%- endmacro %}

{# A part of a whole, 0 to 1; null where there is no whole. #}
{% macro share(part, whole) -%}
  round(({{ part }})::numeric / nullif({{ whole }}, 0), 6)::numeric(12, 6)
{%- endmacro %}

{# How much more or less than before, as a part of that; null where before there was nothing, or less: a rise would look like a fall.
   Wide, because a day may follow one of a cent. #}
{% macro growth(now, before) -%}
  (case when {{ before }} > 0 then round(({{ now }} - {{ before }})::numeric / {{ before }}, 6) end)::numeric(30, 6)
{%- endmacro %}

{# 1 to 5: which fifth of all rows a row is in, by the share of rows that are below it. #}
{% macro fifth(ordering) -%}
  least(5, 1 + floor(5 * percent_rank() over (order by {{ ordering }})))::integer
{%- endmacro %}
