{# A plan: what an ordinary refresh of a model does, as texts that ecom_lite carries out itself, each time with other numbers (see
   ecom_lite/transform/plan.py). With the variable `plan` a model is not built: its texts are the message of its result. #}
{% materialization incremental, adapter='postgres' %}
  {%- if var('plan', false) -%}
    {{ return(report_plan(sql, pre_hooks, post_hooks)) }}
  {%- endif -%}
  {{ return(dbt.materialization_incremental_default()) }}
{% endmaterialization %}

{% macro report_plan(sql, pre_hooks, post_hooks) %}
  {%- set columns = adapter.get_columns_in_relation(this) | map(attribute='name') | list -%}
  {%- set key = config.require('unique_key') -%}
  {%- set keys = [key] if key is string else key -%}
  {%- set temporary = '"' ~ this.identifier ~ '__dbt_tmp"' -%}
  {%- set create -%}
    create temporary table {{ temporary }} on commit drop as (
    {{ sql }}
    )
  {%- endset -%}
  {%- set merge -%}
    merge into {{ this }} as dest
    using {{ temporary }} as new
    on {% for key in keys %}new."{{ key }}" = dest."{{ key }}"{{ ' and ' if not loop.last }}{% endfor %}
    when matched then update set {% for column in columns %}"{{ column }}" = new."{{ column }}"{{ ', ' if not loop.last }}{% endfor %}
    when not matched then insert ({{ plan_list(columns, '') }}) values ({{ plan_list(columns, 'new.') }})
  {%- endset -%}
  {%- set texts = {'before': plan_hooks(pre_hooks), 'create': create, 'merge': merge, 'after': plan_hooks(post_hooks)} -%}
  {%- do store_raw_result('main', message=tojson(texts), code='PLAN', rows_affected='0') -%}
  {{ return({'relations': [this.incorporate(type='table')]}) }}
{% endmacro %}

{% macro plan_list(columns, prefix) -%}
  {%- for column in columns %}{{ prefix }}"{{ column }}"{{ ', ' if not loop.last }}{% endfor -%}
{%- endmacro %}

{% macro plan_hooks(hooks) %}
  {%- set texts = [] -%}
  {%- for hook in hooks -%}
    {%- if not hook.get('transaction', true) -%}
      {{ exceptions.raise_compiler_error(this.name ~ " has a hook outside its transaction: a plan cannot hold it") }}
    {%- endif -%}
    {%- set text = render(hook.get('sql')) | trim -%}
    {%- if text -%}{%- do texts.append(text) -%}{%- endif -%}
  {%- endfor -%}
  {{ return(texts) }}
{% endmacro %}

{# In a plan, what stands for the cut that a model has kept in ops.mart_cuts: the number is put in just before the model is built. #}
{% macro plan_taken(model_name, part='') -%}
  {{ return('taken:' ~ model_name ~ ':' ~ part ~ ':') }}
{%- endmacro %}
