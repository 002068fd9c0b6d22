select user_key, user_id, name, city, country, registered_at
from {{ source('warehouse', 'dim_user') }}
