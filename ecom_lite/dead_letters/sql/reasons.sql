-- The dead letters of a topic, by reason.
SELECT reason, count(*) AS letters, min(loaded_at) AS first, max(loaded_at) AS last,
       coalesce(sum(octet_length(key)), 0)::bigint + coalesce(sum(octet_length(value)), 0)::bigint AS bytes,
       count(resent_at) AS resent, count(purged_at) AS purged
FROM ops.dead_letters
WHERE topic = %(topic)s AND (%(reason)s::text IS NULL OR reason = %(reason)s)
GROUP BY reason
ORDER BY letters DESC, reason
