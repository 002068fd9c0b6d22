-- Topics of which no loader has taken anything for so long, nor begun to.
SELECT topic FROM ops.consumer_offsets GROUP BY topic HAVING max(updated_at) < %(now)s - make_interval(secs => %(age_s)s)
