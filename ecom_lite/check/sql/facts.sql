-- The facts, in the reporting currency, in one pass, parted at the cuts of the dbt runs in question: segment 0 is below the first cut, 1 from it on, ...
SELECT width_bucket(load_xid, %(cuts)s::bigint[]) AS segment, count(*) AS lines, coalesce(sum(revenue), 0) AS revenue
FROM warehouse.sales
GROUP BY segment
