SELECT topic, partition, "offset", reason, detail, key, value, headers
FROM ops.dead_letters
WHERE topic = %s
ORDER BY broker_time, partition, "offset"
