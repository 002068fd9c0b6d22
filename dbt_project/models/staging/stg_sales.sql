-- Left joins on unique keys: PostgreSQL leaves out those whose columns are not asked for.
select
    sales.order_id,
    products.product_id,
    sales.product_key,
    sales.user_key,
    users.user_id,
    products.product_title,
    sales.category_key,
    categories.category,
    sales.ordered_at,
    {{ date_of('sales.ordered_at') }} as order_date,
    {{ hour_of('sales.ordered_at') }} as order_hour,
    sales.quantity,
    sales.unit_price,
    -- The whole line is converted, as its revenue is: what a rounded price of one unit is off would look like a discount.
    case
        when sales.original_list_price * sales.quantity > sales.original_revenue
            then case
                when sales.currency = (select currency from {{ source('ops', 'reporting_currency') }})
                    then sales.original_list_price * sales.quantity
                else round(
                    sales.original_list_price * sales.quantity
                    * warehouse.rate_on(sales.currency, (sales.ordered_at at time zone 'UTC')::date),
                    (select decimals from {{ source('ops', 'reporting_currency') }})
                )
            end
        else sales.revenue
    end as gross,
    sales.revenue,
    sales.currency,
    sales.original_revenue,
    sales.loaded_at,
    sales.load_xid
    {%- for name, type in attributes(source('warehouse', 'sales')) %},
    sales.{{ adapter.quote(name) }}
    {%- endfor %}
from {{ source('warehouse', 'sales') }} as sales
left join {{ source('warehouse', 'dim_user') }} as users on users.user_key = sales.user_key
left join {{ source('warehouse', 'dim_product') }} as products on products.product_key = sales.product_key
left join {{ source('warehouse', 'dim_category') }} as categories on categories.category_key = sales.category_key
