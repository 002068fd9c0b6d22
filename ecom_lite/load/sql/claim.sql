-- Take partitions over. The raised epoch makes the compare of any former owner fail; what retention removed before it was
-- loaded is accounted for as lost, and its offsets go to ops.gaps; a partition never seen starts at its beginning.
WITH claimed AS (
    INSERT INTO ops.consumer_offsets AS o (topic, partition, next_offset, epoch, first_offset, topic_id)
    SELECT n.topic, n.partition, n.beginning, 1, n.beginning, n.topic_id
    FROM unnest(%(topics)s::text[], %(partitions)s::integer[], %(beginnings)s::bigint[], %(topic_ids)s::uuid[])
         AS n (topic, partition, beginning, topic_id)
    ON CONFLICT (topic, partition) DO UPDATE
    SET epoch = o.epoch + 1, next_offset = greatest(o.next_offset, excluded.first_offset),
        lost = o.lost + greatest(0, excluded.first_offset - o.next_offset), topic_id = coalesce(excluded.topic_id, o.topic_id),
        updated_at = now()
    RETURNING new.topic AS topic, new.partition AS partition, new.next_offset AS next_offset, new.epoch AS epoch,
              coalesce(old.next_offset, new.next_offset) AS was, coalesce(old.topic_id, new.topic_id) AS loaded_id
), gaps AS (
    INSERT INTO ops.gaps (topic, partition, first_offset, last_offset)
    SELECT topic, partition, was, next_offset - 1 FROM claimed WHERE was < next_offset
)
SELECT topic, partition, next_offset, epoch, was, loaded_id FROM claimed
