-- Each gap is in ops.gaps, with its offsets: [start, end).
WITH expected AS (
    SELECT l.partition, l.start, l."end" FROM lost l JOIN partitions p ON p.partition = l.partition AND l.start >= p.first
), found AS (
    SELECT partition, first_offset AS start, last_offset + 1 AS "end" FROM ecom.ops.gaps
)
SELECT format('gap in partition {}', coalesce(e.partition, f.partition)),
       coalesce(format('{} .. {}', e.start, e."end"), 'none'), coalesce(format('{} .. {}', f.start, f."end"), 'none')
FROM expected e FULL JOIN found f ON e.partition = f.partition AND e.start = f.start AND e."end" = f."end"
WHERE e.partition IS NULL OR f.partition IS NULL
