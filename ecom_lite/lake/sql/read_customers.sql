SELECT user_id, changed_at AS valid_from, kind, name, email, city, country, load_xid, loaded_at
FROM warehouse.user_changes
WHERE load_xid >= {since} AND load_xid < {below}
