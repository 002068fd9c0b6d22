{# Where the customer of `sale` lived when it was ordered, by the changes that were loaded below `below`: of each field the newest known. #}
{% macro place_of(sale, below) -%}
  cross join lateral (
      select
          coalesce({{ newest_known('country', sale, below) }}, '(unknown)') as country,
          coalesce({{ newest_known('city', sale, below) }}, '(unknown)') as city
  )
{%- endmacro %}

{% macro newest_known(field, sale, below) -%}
  (
      select said.{{ field }}
      from {{ ref('int_profile_log') }} as said
      where said.user_id = {{ sale }}.user_id
          and said.changed_at <= {{ sale }}.ordered_at
          and said.load_xid < {{ below }}
          and said.{{ field }} is not null
      order by said.changed_at desc, said.kind desc, said.load_xid desc
      limit 1
  )
{%- endmacro %}
