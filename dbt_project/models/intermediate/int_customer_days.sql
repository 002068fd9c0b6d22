-- Distinct customers of a day cannot be added up, so the pairs seen are kept, each with the load that brought it first
-- (a pair that is present keeps its own: only the cut is updated).
{{ config(
    unique_key=['order_date', 'user_key'],
    merge_update_columns=['load_xid_below'],
    indexes=[
        {'columns': ['order_date', 'user_key'], 'unique': true},
        {'columns': ['first_load_xid']},
        {'columns': ['load_xid_below']},
    ],
) }}

select order_date, user_key, min(load_xid) as first_load_xid, {{ cut() }}::bigint as load_xid_below
from {{ ref('stg_sales') }}
where {{ is_new() }}
group by order_date, user_key
