-- All ranges of a customer with a new change are made anew, so a change that comes late, or out of order, splits the range it falls into.
{{ config(
    unique_key=['user_id', 'valid_from'],
    indexes=[{'columns': ['user_id', 'valid_from'], 'unique': true}],
) }}

with touched as (
    select distinct user_id
    from {{ ref('stg_user_changes') }}
    where {{ is_new() }}
),

-- Of changes at one moment the later kind counts; a change that leaves a field out leaves it as it was.
changes as (
    select
        changes.*,
        row_number() over (partition by user_id, changed_at order by kind desc) = 1 as is_last,
        count(name) over earlier as names,
        count(city) over earlier as cities,
        count(country) over earlier as countries
    from touched
    inner join {{ ref('stg_user_changes') }} as changes using (user_id)
    where changes.load_xid < {{ cut() }}
    window earlier as (partition by user_id order by changed_at, kind)
),

known as (
    select
        user_id,
        changed_at,
        is_last,
        max(name) over (partition by user_id, names) as name,
        max(city) over (partition by user_id, cities) as city,
        max(country) over (partition by user_id, countries) as country
    from changes
)

select
    user_id,
    row_number() over (partition by user_id order by changed_at)::integer as version,
    name,
    city,
    country,
    changed_at as valid_from,
    lead(changed_at) over (partition by user_id order by changed_at) as valid_to,
    lead(changed_at) over (partition by user_id order by changed_at) is null as is_current
from known
where is_last
