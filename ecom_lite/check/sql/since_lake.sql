-- How many facts are not in the lake yet, and for how many seconds the first of them has waited.
SELECT count(*), extract(epoch FROM clock_timestamp() - min(loaded_at))::float8 FROM warehouse.fact_sales WHERE load_xid >= %(below)s::bigint
