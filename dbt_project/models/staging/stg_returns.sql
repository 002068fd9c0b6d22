select
    taken_back.order_id,
    taken_back.product_id,
    products.product_key,
    taken_back.kind,
    taken_back.return_id,
    taken_back.reason,
    taken_back.quantity,
    taken_back.returned_at,
    {{ date_of('taken_back.returned_at') }} as return_date,
    {{ hour_of('taken_back.returned_at') }} as return_hour,
    taken_back.load_xid
from {{ source('warehouse', 'fact_returns') }} as taken_back
left join {{ source('warehouse', 'dim_product') }} as products on products.product_id = taken_back.product_id
