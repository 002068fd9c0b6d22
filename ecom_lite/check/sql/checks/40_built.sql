-- description: Once there are facts, dbt has built the marts.
-- left: dbt runs
-- right: facts
-- severity: error
SELECT 'marts = facts' AS line, 'no dbt run yet' AS "left", '' AS "right", NOT EXISTS (SELECT FROM warehouse.fact_sales) AS closes,
       'run `ecom_lite refresh`' AS note, jsonb_build_object('mart_lines', 0) AS figures
WHERE jsonb_array_length(%(runs)s::jsonb) = 0
   OR EXISTS (SELECT FROM unnest(ARRAY['daily_sales', 'product_performance', 'customer_ltv']) mart WHERE to_regclass('marts.' || mart) IS NULL)
