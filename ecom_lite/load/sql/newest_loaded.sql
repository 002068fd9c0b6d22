-- The newest record loaded of those partitions of which no id says that the topic is the same.
SELECT o.topic, o.partition, o.newest_offset, o.newest_time
FROM ops.consumer_offsets o
JOIN unnest(%(topics)s::text[], %(partitions)s::integer[], %(topic_ids)s::uuid[]) AS n (topic, partition, topic_id)
     USING (topic, partition)
WHERE o.newest_time IS NOT NULL AND (o.topic_id IS NULL OR n.topic_id IS NULL)
