-- The newest record loaded of those partitions of which no id says that the topic is the same.
SELECT partition, newest_offset, newest_time FROM ops.consumer_offsets
WHERE topic = %(topic)s AND partition = ANY(%(partitions)s::integer[]) AND newest_time IS NOT NULL
  AND (topic_id IS NULL OR %(topic_id)s::uuid IS NULL)
