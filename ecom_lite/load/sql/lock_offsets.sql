-- The compare of the compare-and-set. The lock comes first, so whoever wrote before has ended and nobody else can begin.
SELECT o.topic, o.partition, o.next_offset, o.epoch
FROM ops.consumer_offsets o
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[]) AS n (topic, partition) USING (topic, partition)
ORDER BY o.topic, o.partition
FOR UPDATE OF o
