INSERT INTO ops.dead_letters (topic, partition, "offset", broker_time, key, value, headers, reason, detail, error_class)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
