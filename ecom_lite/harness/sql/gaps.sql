-- Each gap is in ops.service_events, with its offsets.
WITH expected AS (
    SELECT format('[{}]: offsets {} .. {} were removed before they were loaded', l.partition, l.start, l."end" - 1) AS words
    FROM lost l JOIN partitions p ON p.partition = l.partition AND l.start >= p.first
), found AS (
    SELECT detail, '[' || split_part(detail, '[', 2) AS words FROM ecom.ops.service_events WHERE event = 'lost'
)
SELECT 'gap', coalesce(e.words, 'none'), coalesce(f.detail, 'none')
FROM expected e FULL JOIN found f USING (words)
WHERE e.words IS NULL OR f.detail IS NULL
