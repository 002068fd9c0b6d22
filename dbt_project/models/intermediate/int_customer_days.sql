-- Counting distinct customers of a day cannot be added up, so the pairs seen are kept, each with the load that brought it.
{{ config(
    unique_key=['order_date', 'user_key'],
    indexes=[
        {'columns': ['order_date', 'user_key'], 'unique': true},
        {'columns': ['first_load_xid']},
        {'columns': ['load_xid_below']},
    ],
) }}

with new_pairs as (
    select order_date, user_key, min(load_xid) as first_load_xid
    from {{ ref('stg_sales') }}
    where {{ is_new() }}
    group by order_date, user_key
)

select
    new_pairs.order_date,
    new_pairs.user_key,
    {% if is_incremental() %}coalesce(present.first_load_xid, new_pairs.first_load_xid){% else %}new_pairs.first_load_xid{% endif %}
        as first_load_xid,
    {{ cut() }}::bigint as load_xid_below
from new_pairs
{% if is_incremental() %}
left join {{ this }} as present using (order_date, user_key)
{% endif %}
