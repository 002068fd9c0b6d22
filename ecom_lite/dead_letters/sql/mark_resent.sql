UPDATE ops.dead_letters d
SET resent_at = clock_timestamp(), resent_partition = n.resent_partition, resent_offset = n.resent_offset
FROM unnest(%(partitions)s::integer[], %(offsets)s::bigint[], %(resent_partitions)s::integer[], %(resent_offsets)s::bigint[])
     AS n (partition, "offset", resent_partition, resent_offset)
WHERE d.topic = %(topic)s AND d.partition = n.partition AND d."offset" = n."offset"
