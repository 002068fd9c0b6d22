SELECT topic, partition, first_offset AS first, last_offset AS last, found_at AS at FROM ops.gaps
ORDER BY found_at, topic, partition, first_offset
