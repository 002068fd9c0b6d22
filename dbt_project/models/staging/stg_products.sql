select products.product_key, products.product_id, products.product_title, categories.category
from {{ source('warehouse', 'dim_product') }} as products
left join {{ source('warehouse', 'dim_category') }} as categories on categories.category_key = products.category_key
