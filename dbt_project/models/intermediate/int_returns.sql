-- What of each return is booked, and at which place of the load order: when both it and its line are known. Returns of one line are
-- booked in that order, so a row that is booked never changes. One whose line is unknown waits, and is looked at when a line comes.
{{ config(
    unique_key=['order_id', 'product_id', 'kind', 'return_id'],
    indexes=[
        {'columns': ['order_id', 'product_id', 'kind', 'return_id'], 'unique': true},
        {'columns': ['booked_xid']},
        {'columns': ['problem']},
    ],
) }}

with touched as (
    select order_id, product_id
    from {{ ref('stg_returns') }}
    where {{ is_new() }}
    {% if is_incremental() %}
    union
    select waiting.order_id, waiting.product_id
    from {{ ref('stg_sales') }} as sales
    inner join {{ ref('stg_returns') }} as waiting
        on waiting.order_id = sales.order_id and waiting.product_id = sales.product_id
    where {{ is_new('sales.load_xid') }}
    {% else %}
    group by order_id, product_id
    {% endif %}
),

asked as (
    select
        said.*,
        sales.order_id is not null as is_known,
        sales.user_key,
        sales.category_key,
        sales.ordered_at,
        sales.order_date,
        sales.quantity as bought,
        sales.revenue,
        case when sales.order_id is not null then greatest(said.load_xid, sales.load_xid) end as booked_xid,
        case when said.returned_at >= sales.ordered_at then said.quantity else 0 end as in_time
    from touched
    inner join {{ ref('stg_returns') }} as said using (order_id, product_id)
    left join {{ ref('stg_sales') }} as sales
        on sales.order_id = said.order_id and sales.product_key = said.product_key and sales.load_xid < {{ cut() }}
    where said.load_xid < {{ cut() }}
),

in_order as (
    select
        *,
        least(bought, coalesce(sum(in_time) over (
            partition by order_id, product_id
            order by booked_xid, returned_at, kind, return_id
            rows between unbounded preceding and 1 preceding
        ), 0)) as booked_before
    from asked
)

select
    order_id,
    product_id,
    -- Another order may make the product known, and nobody looks here then.
    case when is_known then product_key end as product_key,
    kind,
    return_id,
    reason,
    returned_at,
    return_date,
    return_hour,
    user_key,
    category_key,
    ordered_at,
    order_date,
    quantity::bigint as quantity,
    case when is_known then least(in_time, bought - booked_before) else 0 end::bigint as units,
    -- The parts of a line add up to its revenue, to the cent.
    {{ money(
        'case when is_known then ' ~ money('revenue * least(booked_before + in_time, bought) / bought')
        ~ ' - ' ~ money('revenue * booked_before / bought') ~ ' end'
    ) }} as amount,
    booked_xid,
    case
        when not is_known then 'unknown line'
        when returned_at < ordered_at then 'before its order'
        when booked_before = bought then 'taken back already'
        when booked_before + in_time > bought then 'more than was bought'
    end as problem
from in_order
