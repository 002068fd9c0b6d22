-- description: Every fact has its customer, product, category and day, and the member of each dimension that is an attribute.
-- left: rows without a row of a dimension
-- right: 0
-- severity: error
-- The foreign keys are declared NOT ENFORCED: this is their proof. Which members the facts have is told by the sums that are kept by each of
-- them (which the check `rollups` proves), and by the facts since.
WITH kept AS (
    SELECT lines FROM realtime.rolled_customers k WHERE NOT EXISTS (SELECT FROM warehouse.dim_user d WHERE d.user_key = k.user_key)
    UNION ALL
    SELECT lines FROM realtime.rolled_products k WHERE NOT EXISTS (SELECT FROM warehouse.dim_product d WHERE d.product_key = k.product_key)
    UNION ALL
    SELECT lines FROM realtime.rolled_categories k WHERE NOT EXISTS (SELECT FROM warehouse.dim_category d WHERE d.category_key = k.category_key)
    UNION ALL
    SELECT lines FROM realtime.rolled_days k WHERE NOT EXISTS (SELECT FROM warehouse.dim_date d WHERE d.date_key = k.date_key)
), since AS (
    SELECT count(*) FILTER (WHERE u.user_key IS NULL) + count(*) FILTER (WHERE p.product_key IS NULL)
         + count(*) FILTER (WHERE c.category_key IS NULL) + count(*) FILTER (WHERE d.date_key IS NULL) AS orphans
    FROM warehouse.fact_sales f
    LEFT JOIN warehouse.dim_user u ON u.user_key = f.user_key
    LEFT JOIN warehouse.dim_product p ON p.product_key = f.product_key
    LEFT JOIN warehouse.dim_category c ON c.category_key = f.category_key
    LEFT JOIN warehouse.dim_date d ON d.date_key = f.date_key
    WHERE f.load_xid >= %(kept_below)s::bigint
), facts AS (
    SELECT since.orphans + CASE WHEN %(kept_below)s::bigint > 0 THEN (SELECT coalesce(sum(lines), 0) FROM kept) ELSE 0 END::bigint AS orphans FROM since
), attributes AS (
    SELECT coalesce(sum(orphans), 0)::bigint AS orphans,
           coalesce(string_agg(orphans || ' of attribute ' || name, ', ' ORDER BY name) FILTER (WHERE orphans > 0), '') AS named
    FROM jsonb_to_recordset(%(attribute_orphans)s::jsonb) AS a(name text, orphans bigint)
)
SELECT 'facts without a dimension row' AS line, f.orphans + a.orphans AS "left", 0 AS "right", a.named AS note,
       jsonb_build_object('orphans', f.orphans + a.orphans) AS figures
FROM facts f CROSS JOIN attributes a
UNION ALL
SELECT 'products without their category', count(*), 0, '', NULL
FROM warehouse.dim_product p
WHERE NOT EXISTS (SELECT FROM warehouse.dim_category c WHERE c.category_key = p.category_key)
