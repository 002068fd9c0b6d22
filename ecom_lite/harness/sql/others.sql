-- The other events: each key once, from an offset that carries it.
WITH expected AS (
    SELECT kind, CASE WHEN kind LIKE 'order%' THEN concat_ws(' ', order_id, mark) ELSE moment::VARCHAR END AS thing,
           CASE WHEN kind LIKE 'order%' THEN product_id ELSE user_id END AS id,
           list((partition, "offset")) AS places
    FROM judged WHERE kind <> 'order' GROUP BY ALL
), found AS (
    SELECT kind, concat_ws(' ', order_id, coalesce(TRY_CAST(return_id AS TIMESTAMPTZ)::VARCHAR, return_id)) AS thing, product_id AS id, (source_partition, source_offset) AS place FROM ecom.warehouse.fact_returns
    UNION ALL
    SELECT kind, changed_at::VARCHAR, user_id, (source_partition, source_offset) FROM ecom.warehouse.user_changes
)
SELECT concat_ws(' ', kind, thing, id), coalesce(e.places::VARCHAR, 'no row'), coalesce(f.place::VARCHAR, 'no row')
FROM expected e FULL JOIN found f USING (kind, thing, id)
WHERE e.places IS NULL OR f.place IS NULL OR NOT list_contains(e.places, f.place)
UNION ALL
SELECT concat_ws(' ', kind, thing, id), 'one row', format('{} rows', count(*)) FROM found GROUP BY kind, thing, id HAVING count(*) > 1
ORDER BY 1
