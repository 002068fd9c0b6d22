-- Take partitions over. The raised epoch makes the compare of any former owner fail; what retention removed before it was
-- loaded is accounted for as lost; a partition never seen starts at its beginning.
INSERT INTO ops.consumer_offsets AS o (topic, partition, next_offset, epoch, first_offset, topic_id)
SELECT %(topic)s, n.partition, n.beginning, 1, n.beginning, %(topic_id)s::uuid
FROM unnest(%(partitions)s::integer[], %(beginnings)s::bigint[]) AS n (partition, beginning)
ON CONFLICT (topic, partition) DO UPDATE
SET epoch = o.epoch + 1, next_offset = greatest(o.next_offset, excluded.first_offset),
    lost = o.lost + greatest(0, excluded.first_offset - o.next_offset), topic_id = coalesce(excluded.topic_id, o.topic_id),
    updated_at = now()
RETURNING new.partition, new.next_offset, new.epoch, coalesce(old.next_offset, new.next_offset), coalesce(old.topic_id, new.topic_id)
