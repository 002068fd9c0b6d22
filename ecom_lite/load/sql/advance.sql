-- The set of the compare-and-set: the rows are locked by lock_offsets.
UPDATE ops.consumer_offsets o
SET next_offset = n.next_offset, own = o.own + n.own, facts = o.facts + n.facts, duplicates = o.duplicates + n.duplicates,
    further_lines = o.further_lines + n.further, other = o.other + n.other, dead = o.dead + n.dead, markers = o.markers + n.markers, updated_at = now(),
    newest_offset = coalesce(n.newest_offset, o.newest_offset),
    newest_time = CASE WHEN n.newest_offset IS NULL THEN o.newest_time ELSE n.newest_time END
FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(ends)s::bigint[], %(own)s::bigint[], %(facts)s::bigint[], %(duplicates)s::bigint[],
            %(further)s::bigint[], %(other)s::bigint[], %(dead)s::bigint[], %(markers)s::bigint[], %(newest)s::bigint[], %(times)s::timestamptz[])
     AS n (topic, partition, next_offset, own, facts, duplicates, further, other, dead, markers, newest_offset, newest_time)
WHERE o.topic = n.topic AND o.partition = n.partition
