-- The broker's offsets are those of the topics that are loaded now. The rows of the warehouse, and what was sent, are of all topics ever loaded.
SELECT coalesce(sum(next_offset) FILTER (WHERE topic = ANY(%(topics)s::text[])), 0)::bigint AS next_offsets,
       coalesce(sum(next_offset - first_offset), 0)::bigint AS accounted,
       coalesce(sum(own), 0)::bigint AS own,
       coalesce(sum(facts), 0)::bigint AS facts,
       coalesce(sum(duplicates), 0)::bigint AS duplicates,
       coalesce(sum(further_lines), 0)::bigint AS further,
       coalesce(sum(other), 0)::bigint AS other,
       coalesce(sum(dead), 0)::bigint AS dead,
       coalesce(sum(markers), 0)::bigint AS markers,
       coalesce(sum(lost), 0)::bigint AS lost
FROM ops.consumer_offsets
