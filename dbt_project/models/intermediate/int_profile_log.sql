-- The changes of profiles as they were taken. A change that repeats an earlier one with more in it replaces it in the warehouse; here
-- both stay, so what was said of a customer below an earlier cut can be asked again. Never built anew: it would forget them.
{{ config(
    unique_key=['user_id', 'changed_at', 'kind', 'load_xid'],
    indexes=[{'columns': ['user_id', 'changed_at', 'kind', 'load_xid'], 'unique': true}, {'columns': ['load_xid'], 'type': 'brin'}],
    full_refresh=false,
) }}

select user_id, changed_at, kind, city, country, load_xid
from {{ ref('stg_user_changes') }}
where {{ is_new() }}
