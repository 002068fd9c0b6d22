SELECT topic, partition, next_offset FROM ops.consumer_offsets WHERE topic = ANY(%(topics)s::text[])
