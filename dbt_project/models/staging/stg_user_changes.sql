select user_id, changed_at, kind, name, city, country, load_xid
from {{ source('warehouse', 'user_changes') }}
