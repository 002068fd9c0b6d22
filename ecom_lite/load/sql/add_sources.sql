-- Anti-join first: DO NOTHING alone would burn a number at each start.
INSERT INTO ops.sources (topic)
SELECT n.topic FROM unnest(%(topics)s::text[]) AS n (topic)
WHERE NOT EXISTS (SELECT FROM ops.sources s WHERE s.topic = n.topic)
ON CONFLICT DO NOTHING
