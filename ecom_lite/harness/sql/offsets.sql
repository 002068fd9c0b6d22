-- Every offset of every partition is exactly one of: fact, duplicate, other event, dead letter, marker, lost; but for further lines.
WITH rows AS (
    SELECT source_partition AS partition, 1 AS facts, 0 AS other FROM ecom.warehouse.fact_sales
    UNION ALL SELECT source_partition, 0, 1 FROM ecom.warehouse.fact_returns
    UNION ALL SELECT source_partition, 0, 1 FROM ecom.warehouse.user_changes
), won AS (
    SELECT partition, sum(facts)::BIGINT AS facts, sum(other)::BIGINT AS other FROM rows GROUP BY partition
), read AS (
    SELECT partition, count(*) AS events, count(DISTINCT "offset") AS records, count(*) FILTER (own) AS own,
           count(*) FILTER (reason IS NOT NULL) AS dead
    FROM judged GROUP BY partition
), gone AS (
    SELECT l.partition, sum(l."end" - l.start)::BIGINT AS lost
    FROM lost l JOIN partitions p ON p.partition = l.partition AND l.start >= p.first
    GROUP BY l.partition
), expected AS (
    SELECT p.partition, p.first, p."end" AS next, coalesce(r.own, 0) AS own, coalesce(w.facts, 0) AS facts,
           coalesce(r.events, 0) - coalesce(r.dead, 0) - coalesce(w.facts, 0) - coalesce(w.other, 0) AS duplicates,
           coalesce(w.other, 0) AS other, coalesce(r.dead, 0) AS dead,
           coalesce(r.events - r.records, 0) AS further,
           p."end" - p.first - coalesce(g.lost, 0) - coalesce(r.records, 0) AS markers, coalesce(g.lost, 0) AS lost
    FROM partitions p LEFT JOIN read r USING (partition) LEFT JOIN won w USING (partition) LEFT JOIN gone g USING (partition)
), found AS (
    SELECT partition, first_offset AS first, next_offset AS next, own, facts, duplicates, other, dead, further_lines AS further, markers, lost
    FROM ecom.ops.consumer_offsets
)
SELECT format('partition {}', coalesce(e.partition, f.partition)), coalesce(e::VARCHAR, 'no row'), coalesce(f::VARCHAR, 'no row')
FROM expected e FULL JOIN found f ON f.partition = e.partition
WHERE e::VARCHAR IS DISTINCT FROM f::VARCHAR
ORDER BY 1
