SELECT order_id, product_id, kind, return_id, quantity, reason, returned_at, load_xid, loaded_at
FROM warehouse.fact_returns
WHERE load_xid >= {since} AND load_xid < {below}
