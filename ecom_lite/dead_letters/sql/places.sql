SELECT partition, "offset" FROM ops.dead_letters
WHERE topic = %(topic)s AND (partition, "offset") IN (SELECT * FROM unnest(%(partitions)s::integer[], %(offsets)s::bigint[]))
