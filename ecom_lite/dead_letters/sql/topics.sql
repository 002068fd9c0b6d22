SELECT topic, count(*) FROM ops.dead_letters WHERE topic <> %(topic)s GROUP BY topic ORDER BY topic
