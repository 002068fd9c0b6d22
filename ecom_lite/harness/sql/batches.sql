-- The batches' offsets lie side by side: each record is in one of them, once, and they add up to the counts.
WITH ranges AS (
    SELECT batch_id, unnest(map_keys(extents))::INTEGER AS partition, unnest(map_values(extents)) AS extent
    FROM (SELECT batch_id, from_json(offsets::JSON, '"MAP(VARCHAR, BIGINT[])"') AS extents FROM ecom.ops.load_batches)
), spans AS (
    SELECT batch_id, partition, extent[1] AS start, extent[2] AS "end" FROM ranges
), ordered AS (
    SELECT *, lag("end") OVER (PARTITION BY partition ORDER BY start, "end") AS before FROM spans
), covered AS (
    SELECT j.partition, j."offset", count(DISTINCT s.batch_id) AS times
    FROM judged j LEFT JOIN spans s ON s.partition = j.partition AND j."offset" >= s.start AND j."offset" < s."end"
    GROUP BY ALL
), counted AS (
    SELECT sum(facts) AS facts, sum(duplicates) AS duplicates, sum(other) AS other, sum(dead) AS dead FROM ecom.ops.consumer_offsets
), batched AS (
    SELECT sum(facts) AS facts, sum(duplicates) AS duplicates, sum(other) AS other, sum(dead) AS dead FROM ecom.ops.load_batches
)
SELECT format('batch {} partition {}', batch_id, partition), format('to begin at {} or later', before), format('[{}, {})', start, "end")
FROM ordered WHERE start < before
UNION ALL
SELECT format('batch {} partition {}', s.batch_id, s.partition), format('to lie in [{}, {})', p.first, p."end"), format('[{}, {})', s.start, s."end")
FROM spans s JOIN partitions p USING (partition) WHERE s.start < p.first OR s."end" > p."end"
UNION ALL
SELECT format('batch {} partition {}', s.batch_id, s.partition), format('nothing of the lost [{}, {})', l.start, l."end"), format('[{}, {})', s.start, s."end")
FROM spans s JOIN lost l USING (partition) WHERE s.start < l."end" AND s."end" > l.start
UNION ALL
SELECT format('offset {}[{}]', partition, "offset"), 'in one batch', format('in {}', times) FROM covered WHERE times <> 1
UNION ALL
SELECT 'sums of load_batches', c::VARCHAR, b::VARCHAR FROM counted c, batched b WHERE c::VARCHAR <> b::VARCHAR
