-- Of the headers those stay that `check` counts by (who sent it, which fault; only where they stand first) and the link to the
-- letter that it was sent again from.
WITH purged AS (
UPDATE ops.dead_letters
SET key = NULL, value = NULL, purged_at = clock_timestamp(),
    purged_bytes = coalesce(octet_length(key), 0) + coalesce(octet_length(value), 0) + octet_length(headers::text),
    headers = CASE WHEN headers #>> '{0,0}' = %(producer_header)s
                   THEN jsonb_build_array(headers -> 0)
                        || CASE WHEN headers #>> '{1,0}' = %(fault_header)s THEN jsonb_build_array(headers -> 1) ELSE '[]' END
                   ELSE '[]' END
              || coalesce((SELECT jsonb_agg(h) FROM jsonb_array_elements(headers) AS h
                           WHERE h ->> 0 = %(link)s AND length(h ->> 1) <= 400), '[]')
WHERE topic = %(topic)s AND purged_at IS NULL AND (%(reason)s::text IS NULL OR reason = %(reason)s)
      AND (NOT %(resent)s OR resent_at IS NOT NULL)
      AND (%(older_than_s)s::float8 IS NULL OR loaded_at < %(before)s - make_interval(secs => %(older_than_s)s))
      AND loaded_at <= %(before)s
RETURNING purged_bytes
)
SELECT count(*), coalesce(sum(purged_bytes), 0)::bigint FROM purged
