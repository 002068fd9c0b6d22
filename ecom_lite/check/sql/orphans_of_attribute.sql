-- The same of the dimension of an attribute; null is a line without one.
SELECT count(*) AS orphans
FROM warehouse.fact_sales f
WHERE f."{attribute}_key" IS NOT NULL
  AND NOT EXISTS (SELECT FROM warehouse.dim_{attribute} d WHERE d."{attribute}_key" = f."{attribute}_key")
