-- description: What the loaders have counted stands in the tables, row for row.
-- left: counted
-- right: rows
-- severity: error
WITH counted AS (
    SELECT coalesce(sum(facts), 0)::bigint AS facts, coalesce(sum(other), 0)::bigint AS other, coalesce(sum(dead), 0)::bigint AS dead
    FROM ops.consumer_offsets
), found AS (
    SELECT f.lines, f.revenue, f.priced, (SELECT count(*) FROM warehouse.fact_returns) + (SELECT count(*) FROM warehouse.user_changes) AS other,
           (SELECT count(*) FROM ops.dead_letters) AS dead
    FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, lines bigint, revenue numeric, priced bigint)
    WHERE f.run_id IS NULL
)
SELECT line, "left", "right", figures
FROM counted c CROSS JOIN found f CROSS JOIN LATERAL (VALUES
    (1, 'facts counted = rows of fact_sales', c.facts, f.lines,
     jsonb_build_object('fact_rows', f.lines, 'fact_revenue', f.revenue, 'priced_rows', f.priced, 'other_rows', f.other, 'dead_rows', f.dead)),
    (2, 'other events counted = rows of fact_returns + user_changes', c.other, f.other, NULL),
    (3, 'dead letters counted = rows of dead_letters', c.dead, f.dead, NULL)
) AS lines(place, line, "left", "right", figures)
ORDER BY place
