-- The next letters to send, in the order of the topic, locked: two that send at once share the work. Those that came after
-- `before` are left out: what is sent by force comes back as a new letter.
SELECT partition, "offset", key, value, headers
FROM ops.dead_letters
WHERE topic = %(topic)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
      AND (%(partitions)s::integer[] IS NULL
           OR (partition, "offset") IN (SELECT * FROM unnest(%(partitions)s::integer[], %(offsets)s::bigint[])))
      AND (%(again)s OR resent_at IS NULL) AND purged_at IS NULL AND loaded_at <= %(before)s
      AND (partition, "offset") > (%(after_partition)s::integer, %(after_offset)s::bigint)
ORDER BY partition, "offset"
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED
