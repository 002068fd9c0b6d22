SELECT coalesce(max(load_xid), 0) FROM warehouse.fact_sales
