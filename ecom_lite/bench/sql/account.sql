-- What became of every offset, as the loader counted it, and what the warehouse really holds.
SELECT coalesce(sum(facts), 0)::bigint, coalesce(sum(duplicates), 0)::bigint, coalesce(sum(other), 0)::bigint,
       coalesce(sum(dead), 0)::bigint,
       (SELECT count(*) FROM warehouse.fact_sales WHERE load_xid > %(above)s),
       (SELECT coalesce(sum(revenue) * 100, 0)::bigint FROM warehouse.fact_sales WHERE load_xid > %(above)s),
       (SELECT count(*) FROM ops.dead_letters)
FROM ops.consumer_offsets
WHERE topic = %(topic)s
