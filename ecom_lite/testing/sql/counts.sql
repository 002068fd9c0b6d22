-- What has become of the records of one topic.
SELECT
    coalesce(sum(facts), 0)::bigint AS facts,
    coalesce(sum(duplicates), 0)::bigint AS duplicates,
    coalesce(sum(other), 0)::bigint AS other_events,
    coalesce(sum(dead), 0)::bigint AS dead_letters
FROM ops.consumer_offsets
WHERE topic = %s
