-- Events of the topic that the loader has committed, of whatever kind.
SELECT coalesce(sum(facts + duplicates + other + dead), 0)::bigint FROM ops.consumer_offsets WHERE topic = %(topic)s
