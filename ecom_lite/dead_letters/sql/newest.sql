-- The newest dead letters of a topic, without their bytes. `died_again` says that what was sent again is a dead letter, too.
SELECT d.topic, d.partition, d."offset", d.reason, d.detail, d.broker_time, d.loaded_at,
       octet_length(d.key) AS key_bytes, octet_length(d.value) AS value_bytes,
       (SELECT left(h ->> 1, 400) FROM jsonb_array_elements(d.headers) AS h WHERE h ->> 0 = %(link)s LIMIT 1) AS link,
       d.resent_at, d.resent_partition, d.resent_offset, d.purged_at, d.purged_bytes,
       coalesce(o.next_offset > d.resent_offset, false) AS loaded_again, again.topic IS NOT NULL AS died_again
FROM ops.dead_letters d
LEFT JOIN ops.consumer_offsets o ON o.topic = d.topic AND o.partition = d.resent_partition
LEFT JOIN ops.dead_letters again
       ON again.topic = d.topic AND again.partition = d.resent_partition AND again."offset" = d.resent_offset
WHERE d.topic = %(topic)s AND (%(reason)s::text IS NULL OR d.reason = %(reason)s)
      AND (%(partition)s::integer IS NULL OR (d.partition = %(partition)s AND d."offset" = %(offset)s))
ORDER BY d.loaded_at DESC, d.partition, d."offset" DESC
LIMIT %(limit)s
