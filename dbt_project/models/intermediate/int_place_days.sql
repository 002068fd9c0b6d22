-- Sums by day and by where the customer lived when the order was made. A change of address that is loaded after such orders moves
-- their movements: away from the place that they were booked at (by what was known below the model's cut), to where they belong.
-- depends_on: {{ ref('order_facts') }}
{{ config(
    unique_key=['date', 'country', 'city'],
    indexes=[{'columns': ['date', 'country', 'city'], 'unique': true}],
) }}

with new_movements as (
    select movements.*, users.user_id
    from {{ ref('int_movements') }} as movements
    inner join {{ ref('stg_users') }} as users using (user_key)
    where {{ is_new('movements.load_xid') }}
),

{% if is_incremental() %}
changed as (
    select user_id, min(changed_at) as since
    from {{ ref('int_profile_log') }}
    where {{ is_new() }}
    group by user_id
),

taken_movements as (
    select movements.*, changed.user_id
    from changed
    inner join {{ ref('stg_users') }} as users using (user_id)
    inner join {{ ref('order_facts') }} as orders using (user_id)
    inner join {{ ref('int_movements') }} as movements
        on movements.order_id = orders.order_id and movements.user_key = users.user_key
    where orders.last_line_at >= changed.since
        and movements.ordered_at >= changed.since
        and movements.load_xid < {{ taken(this) }}
),

moved as (
    select
        movements.*,
        before.country as country_before,
        before.city as city_before,
        now.country,
        now.city
    from taken_movements as movements
    {{ place_of('movements', taken(this)) }} as before
    {{ place_of('movements', cut()) }} as now
    where (before.country, before.city) <> (now.country, now.city)
),
{% endif %}

placed as (
    select
        movements.date,
        place.country,
        place.city,
        {%- for measure in measures() %}
        coalesce(movements.{{ measure }}, 0) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from new_movements as movements
    {{ place_of('movements', cut()) }} as place
    {% if is_incremental() %}
    {% for country, city, sign in [('country', 'city', ''), ('country_before', 'city_before', '-')] %}
    union all
    select
        date,
        {{ country }},
        {{ city }},
        {%- for measure in measures() %}
        {{ sign }}coalesce({{ measure }}, 0){{ ',' if not loop.last }}
        {%- endfor %}
    from moved
    {% endfor %}
    {% endif %}
),

new_sums as (
    select
        date,
        country,
        city,
        {%- for measure in measures() %}
        sum({{ measure }}) as {{ measure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from placed
    group by date, country, city
)

select
    date,
    country,
    city,
    {{ kept_measures() }}
from (
    {{ all_sums(['date', 'country', 'city']) }}
) as sums
