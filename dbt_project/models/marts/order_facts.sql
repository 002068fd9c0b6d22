-- Orders with something new are made anew, and the customer's next order after each that is new or has moved: its distance may change.
{{ config(
    unique_key=['order_id', 'user_id'],
    indexes=[
        {'columns': ['order_id', 'user_id'], 'unique': true},
        {'columns': ['user_id', 'ordered_at', 'order_id']},
        {'columns': ['user_id', 'last_line_at']},
    ],
) }}

{%- set sums -%}
    min(movements.ordered_at) as ordered_at,
    max(movements.ordered_at) as last_line_at,
    min(movements.order_date) as order_date,
    {%- for measure in measures() %}
    coalesce(sum(movements.{{ measure }}), 0) as {{ measure }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endset %}

with fresh as (
    {% if is_incremental() %}
    -- Order by order: a join would read all facts.
    select touched.order_id, users.user_id, sums.*
    from (select distinct order_id, user_key from {{ ref('int_movements') }} where {{ is_new() }}) as touched
    inner join {{ ref('stg_users') }} as users using (user_key)
    cross join lateral (
        select
            {{ sums }}
        from {{ ref('int_movements') }} as movements
        where movements.order_id = touched.order_id
            and movements.user_key = touched.user_key
            and movements.load_xid < {{ cut() }}
    ) as sums
    {% else %}
    select
        movements.order_id,
        users.user_id,
        {{ sums }}
    from {{ ref('int_movements') }} as movements
    inner join {{ ref('stg_users') }} as users using (user_key)
    where {{ is_new('movements.load_xid') }}
    group by movements.order_id, users.user_id
    {% endif %}
),

{% if is_incremental() %}
places as (
    select fresh.user_id, fresh.order_id, place.ordered_at
    from fresh
    left join {{ this }} as present using (order_id, user_id)
    cross join lateral (values (fresh.ordered_at), (present.ordered_at)) as place (ordered_at)
    where present.ordered_at is distinct from fresh.ordered_at and place.ordered_at is not null
),

followers as (
    select distinct follower.order_id, follower.user_id
    from places
    cross join lateral (
        select present.order_id, present.user_id
        from {{ this }} as present
        where present.user_id = places.user_id
            and (present.ordered_at, present.order_id) > (places.ordered_at, places.order_id)
            and (present.order_id, present.user_id) not in (select fresh.order_id, fresh.user_id from fresh)
        order by present.ordered_at, present.order_id
        limit 1
    ) as follower
),

changed as (
    select * from fresh
    union all
    select
        present.order_id,
        present.user_id,
        present.ordered_at,
        present.last_line_at,
        present.order_date,
        {%- for measure in measures() %}
        present.{{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from followers
    inner join {{ this }} as present using (order_id, user_id)
),

-- Those before the changed ones, as far as they are not among them.
known as (
    select user_id, order_id, ordered_at, order_date from changed
    union
    select predecessor.user_id, predecessor.order_id, predecessor.ordered_at, predecessor.order_date
    from changed
    cross join lateral (
        select present.user_id, present.order_id, present.ordered_at, present.order_date
        from {{ this }} as present
        where present.user_id = changed.user_id
            and (present.ordered_at, present.order_id) < (changed.ordered_at, changed.order_id)
            and (present.order_id, present.user_id) not in (select fresh.order_id, fresh.user_id from fresh)
        order by present.ordered_at desc, present.order_id desc
        limit 1
    ) as predecessor
),
{% else %}
changed as (
    select * from fresh
),

known as (
    select user_id, order_id, ordered_at, order_date from fresh
),
{% endif %}

distances as (
    select
        user_id,
        order_id,
        order_date - lag(order_date) over (partition by user_id order by ordered_at, order_id) as days_since_order_before
    from known
)

select
    order_id,
    user_id,
    ordered_at,
    last_line_at,
    order_date,
    {{ kept_measures() }},
    {{ money('revenue - returns') }} as net,
    days_since_order_before::integer as days_since_order_before
from changed
inner join distances using (user_id, order_id)
