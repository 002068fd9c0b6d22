-- description: The sums that are kept for the boards (realtime.rolled and its like) and the facts since their cut are the facts.
-- left: kept sums
-- right: facts
-- severity: error
WITH facts AS (
    SELECT lines, revenue FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, lines bigint, revenue numeric) WHERE run_id IS NULL
)
SELECT line, "left", "right", note
FROM facts f CROSS JOIN realtime.totals() t CROSS JOIN realtime.rolled r CROSS JOIN LATERAL (VALUES
    (1, 'lines in the totals = facts', to_jsonb(t.lines), to_jsonb(f.lines),
     CASE WHEN t.lines <> r.lines THEN to_char(t.lines - r.lines, 'FM999,999,999,990') || ' lines are newer than the kept sums' ELSE '' END),
    (2, 'revenue in the totals = facts', to_jsonb(t.revenue), to_jsonb(f.revenue), ''),
    (3, 'kept revenue by category = kept total', (SELECT to_jsonb(coalesce(sum(revenue), 0)) FROM realtime.rolled_categories), to_jsonb(r.revenue), ''),
    (4, 'kept revenue by product = kept total', (SELECT to_jsonb(coalesce(sum(revenue), 0)) FROM realtime.rolled_products), to_jsonb(r.revenue), ''),
    (5, 'kept revenue by customer = kept total', (SELECT to_jsonb(coalesce(sum(revenue), 0)) FROM realtime.rolled_customers), to_jsonb(r.revenue), '')
) AS lines(place, line, "left", "right", note)
ORDER BY place
