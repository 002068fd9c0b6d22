-- On the topic itself Spark goes on where the loader is.
INSERT INTO realtime.minutes_source AS s (generation, topic, offsets)
SELECT 1, %(topic)s, %(offsets)s::jsonb || coalesce(jsonb_object_agg(partition, next_offset), '{}')
FROM ops.consumer_offsets WHERE topic = %(topic)s
ON CONFLICT (one_row) DO UPDATE SET generation = s.generation + 1, topic = excluded.topic, offsets = excluded.offsets
