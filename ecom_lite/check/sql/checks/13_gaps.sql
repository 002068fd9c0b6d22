-- description: No record was removed by Kafka's retention before it was loaded.
-- left: offsets lost to retention
-- right: 0
-- severity: error
SELECT 'offsets lost to retention' AS line, coalesce(sum(lost), 0)::bigint AS "left", 0 AS "right", %(gaps)s::jsonb ->> 'told' AS note,
       jsonb_build_object('gaps', %(gaps)s::jsonb -> 'gaps') AS figures
FROM ops.consumer_offsets
