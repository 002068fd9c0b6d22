-- The gaps that the loader has recorded in words, as figures.
SELECT m[1] AS topic, m[2]::integer AS partition, m[3]::bigint AS first, m[4]::bigint AS last, at
FROM ops.service_events, regexp_match(detail, '^(.+)\[(\d+)\]: offsets (\d+) \.\. (\d+) were removed') AS m
WHERE service = 'load' AND event = 'lost' AND m IS NOT NULL
ORDER BY at, topic, partition, first
