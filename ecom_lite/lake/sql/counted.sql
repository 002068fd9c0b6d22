-- One pass over all order lines; each is in the segment of so many cuts as its place in the order of loads has passed.
SELECT {segment} AS segment, currency, day, count(*) AS lines, sum(revenue) AS revenue, max(load_xid) AS newest
FROM lake.sales
GROUP BY ALL
