-- description: What the loaders have counted stands in the tables, row for row; the kept sums by day hold as many lines.
-- left: counted
-- right: rows
-- severity: error
-- The rows themselves are counted. What other checks take for granted is proven here: the sums by day hold as many.
WITH counted AS (
    SELECT coalesce(sum(facts), 0)::bigint AS facts, coalesce(sum(other), 0)::bigint AS other, coalesce(sum(dead), 0)::bigint AS dead
    FROM ops.consumer_offsets
), found AS (
    SELECT %(fact_rows)s::bigint AS lines, (SELECT count(*) FROM warehouse.fact_returns) + (SELECT count(*) FROM warehouse.user_changes) AS other,
           (SELECT count(*) FROM ops.dead_letters) AS dead, (SELECT coalesce(sum(d.lines), 0)::bigint FROM realtime.sales_by_day() d) AS by_day
)
SELECT line, "left", "right", figures
FROM counted c CROSS JOIN found f CROSS JOIN LATERAL (VALUES
    (1, 'facts counted = rows of fact_sales', c.facts, f.lines,
     jsonb_build_object('fact_rows', f.lines, 'other_rows', f.other, 'dead_rows', f.dead)),
    (2, 'other events counted = rows of fact_returns + user_changes', c.other, f.other, NULL),
    (3, 'dead letters counted = rows of dead_letters', c.dead, f.dead, NULL),
    (4, 'lines by day = rows of fact_sales', f.by_day, f.lines, NULL)
) AS lines(place, line, "left", "right", figures)
ORDER BY place
