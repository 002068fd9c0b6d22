-- The dead letters are exactly the records that are nothing, with the same bytes and the right reason.
WITH expected AS (SELECT partition, "offset", value, reason FROM judged WHERE reason IS NOT NULL),
found AS (SELECT partition, "offset", value, reason, 1 AS here FROM ecom.ops.dead_letters)
SELECT format('offset {}[{}]', partition, "offset"),
       CASE WHEN e.reason IS NULL THEN 'no dead letter' ELSE format('{} {}', e.reason, coalesce(left(md5(e.value), 8), 'null')) END,
       CASE WHEN f.here IS NULL THEN 'no dead letter' ELSE format('{} {}', f.reason, coalesce(left(md5(f.value), 8), 'null')) END
FROM expected e FULL JOIN found f USING (partition, "offset")
WHERE f.here IS NULL OR (e.reason, e.value) IS DISTINCT FROM (f.reason, f.value)
ORDER BY 1
