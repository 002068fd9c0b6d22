-- The compare of the compare-and-set. The lock comes first, so whoever wrote before has ended and nobody else can begin.
SELECT partition, next_offset, epoch FROM ops.consumer_offsets
WHERE topic = %(topic)s AND partition = ANY(%(partitions)s::integer[])
ORDER BY partition
FOR UPDATE
