-- One line of a hundred of those that are there is sent back, three days after its order.
INSERT INTO warehouse.fact_returns (order_id, product_id, kind, quantity, reason, returned_at, source_partition, source_offset, load_xid)
SELECT f.order_id, p.product_id, 'order_returned', 1, 'does not fit', f.ordered_at + interval '3 days', 0, f.source_offset, f.load_xid
FROM warehouse.fact_sales f JOIN warehouse.dim_product p USING (product_key)
WHERE f.source_offset % 100 = 0 AND f.ordered_at < now() - interval '3 days'
