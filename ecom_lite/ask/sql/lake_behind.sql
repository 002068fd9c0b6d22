SELECT count(*) AS facts, extract(epoch FROM clock_timestamp() - min(loaded_at))::float8 AS seconds
FROM warehouse.fact_sales WHERE load_xid > {newest}
