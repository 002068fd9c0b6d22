-- Of those chosen: how many in all, re-sent before, and purged.
SELECT count(*), count(*) FILTER (WHERE purged_at IS NULL AND resent_at IS NOT NULL), count(purged_at), now()
FROM ops.dead_letters
WHERE topic = %(topic)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
      AND (%(partitions)s::integer[] IS NULL
           OR (partition, "offset") IN (SELECT * FROM unnest(%(partitions)s::integer[], %(offsets)s::bigint[])))
