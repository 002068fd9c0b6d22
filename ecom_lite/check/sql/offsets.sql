-- The broker's offsets are those of one topic. The rows of the warehouse, and what was sent, are of all topics ever loaded.
SELECT coalesce(sum(next_offset) FILTER (topic = $topic), 0)::BIGINT AS next_offsets,
       coalesce(sum(next_offset - first_offset), 0)::BIGINT AS accounted,
       coalesce(sum(own), 0)::BIGINT AS own,
       coalesce(sum(facts), 0)::BIGINT AS facts,
       coalesce(sum(duplicates), 0)::BIGINT AS duplicates,
       coalesce(sum(other), 0)::BIGINT AS other,
       coalesce(sum(dead), 0)::BIGINT AS dead,
       coalesce(sum(markers), 0)::BIGINT AS markers,
       coalesce(sum(lost), 0)::BIGINT AS lost
FROM ecom.ops.consumer_offsets
