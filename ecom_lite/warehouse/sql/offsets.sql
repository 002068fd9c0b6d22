SELECT partition, next_offset FROM ops.consumer_offsets WHERE topic = %(topic)s
