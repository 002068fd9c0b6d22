-- Only asked when some lines were duplicates: which partitions the inserted ones came from.
SELECT i.source_partition, count(*)
FROM incoming_facts i
JOIN warehouse.fact_sales f USING (order_id, product_id)
WHERE f.load_xid = %(xid)s AND f.source_partition = i.source_partition AND f.source_offset = i.source_offset
GROUP BY i.source_partition
