SELECT count(*), coalesce(sum(octet_length(key)), 0)::bigint + coalesce(sum(octet_length(value)), 0)::bigint
       + coalesce(sum(octet_length(headers::text)), 0)::bigint,
       now()
FROM ops.dead_letters
WHERE topic = %(topic)s AND purged_at IS NULL AND (%(reason)s::text IS NULL OR reason = %(reason)s)
      AND (NOT %(resent)s OR resent_at IS NOT NULL)
      AND (%(older_than_s)s::float8 IS NULL OR loaded_at < now() - make_interval(secs => %(older_than_s)s))
