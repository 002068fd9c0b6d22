-- The facts, in the reporting currency, in one pass, parted at the cuts of the dbt runs in question: segment 0 is below the first cut, ...
SELECT width_bucket(load_xid, %(cuts)s::bigint[]) AS segment, count(*) AS lines, count(revenue) AS priced,
       round(coalesce(sum(revenue), 0), (SELECT greatest(decimals, 2) FROM ops.reporting_currency)) AS revenue
FROM (SELECT load_xid, revenue FROM warehouse.sales OFFSET 0) worth  -- each amount is worked out once
GROUP BY segment
