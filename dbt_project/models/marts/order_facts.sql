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
known_before as (
    select fresh.user_id, fresh.order_id, fresh.ordered_at, present.ordered_at as ordered_at_before
    from fresh
    left join {{ this }} as present using (order_id, user_id)
),

-- Orders that now begin at another moment: their rows are out of place. Few: orders that are merely new are no row yet, those that
-- have got another line stand where they stood.
moved as (
    select order_id, user_id from known_before where ordered_at_before <> ordered_at
),

places as (
    select known_before.user_id, known_before.order_id, place.ordered_at
    from known_before
    cross join lateral (values (known_before.ordered_at), (known_before.ordered_at_before)) as place (ordered_at)
    where known_before.ordered_at_before is distinct from known_before.ordered_at and place.ordered_at is not null
),

-- One that is among the fresh is made anew already, and keeps apart what is before it from what is behind it.
followers as (
    select distinct follower.order_id, follower.user_id
    from places
    cross join lateral (
        select present.order_id, present.user_id
        from {{ this }} as present
        where present.user_id = places.user_id
            and (present.ordered_at, present.order_id) > (places.ordered_at, places.order_id)
            and (present.order_id, present.user_id) not in (select moved.order_id, moved.user_id from moved)
        order by present.ordered_at, present.order_id
        limit 1
    ) as follower
    except
    select order_id, user_id from fresh
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

predecessors as (
    select distinct predecessor.user_id, predecessor.order_id, predecessor.ordered_at, predecessor.order_date
    from changed
    cross join lateral (
        select present.user_id, present.order_id, present.ordered_at, present.order_date
        from {{ this }} as present
        where present.user_id = changed.user_id
            and (present.ordered_at, present.order_id) < (changed.ordered_at, changed.order_id)
            and (present.order_id, present.user_id) not in (select moved.order_id, moved.user_id from moved)
        order by present.ordered_at desc, present.order_id desc
        limit 1
    ) as predecessor
),
{% else %}
changed as (
    select * from fresh
),
{% endif %}

-- With all their columns, in one table: to join the distances to their orders, PostgreSQL, which expects few of them, may compare each
-- order of a customer with each. A predecessor that is itself changed is here twice, and comes second.
known as (
    select *, true as is_changed from changed
    {%- if is_incremental() %}
    union all
    select
        order_id,
        user_id,
        ordered_at,
        null as last_line_at,
        order_date,
        {%- for measure in measures() %}
        null as {{ measure }},
        {%- endfor %}
        false as is_changed
    from predecessors
    {%- endif %}
),

distances as (
    select
        *,
        order_date - lag(order_date) over (
            partition by user_id order by ordered_at, order_id, is_changed desc
        ) as days_since_order_before
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
from distances
where is_changed
