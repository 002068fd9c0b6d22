select user_id, changed_at, kind, load_xid
from {{ source('warehouse', 'user_changes') }}
