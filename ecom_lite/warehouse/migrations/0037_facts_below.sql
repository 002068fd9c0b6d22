-- What all facts below a cut add up to, from the kept sums and the facts between the two cuts: the marts' own test need not read all
-- facts. plpgsql because the planner must know both cuts.
CREATE FUNCTION realtime.facts_below(cut bigint, OUT lines bigint, OUT units bigint, OUT revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept realtime.rolled;
    first bigint;
    last bigint;
    sign integer;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    first := least(cut, kept.load_xid_below);
    last := greatest(cut, kept.load_xid_below);
    sign := CASE WHEN cut >= kept.load_xid_below THEN 1 ELSE -1 END;
    SELECT kept.lines + sign * count(*), kept.units + sign * coalesce(sum(f.quantity), 0), kept.revenue + sign * coalesce(sum(f.revenue), 0)
    INTO lines, units, revenue
    FROM warehouse.sales f WHERE f.load_xid >= first AND f.load_xid < last;
END $$;
COMMENT ON FUNCTION realtime.facts_below(bigint) IS 'Order lines, units and revenue (in the reporting currency) of all facts with a load_xid below a cut; costs what lies between it and the cut of `rolled`.';
GRANT USAGE ON SCHEMA realtime TO ecom_dbt;
GRANT SELECT ON realtime.rolled TO ecom_dbt;

-- The tail is read once, order by order. Whatever the statistics of a young table say, it is found by the BRIN index and by nobody else's
-- help: a scan of all facts by three processes was the planner's idea in the first minute, and takes the loader's core.
CREATE OR REPLACE FUNCTION realtime.totals(OUT lines bigint, OUT orders bigint, OUT units bigint, OUT revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept realtime.rolled;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    SELECT kept.lines + coalesce(sum(t.lines), 0), kept.orders + count(t.order_id) FILTER (WHERE known.yes IS NULL),
           kept.units + coalesce(sum(t.units), 0), kept.revenue + coalesce(sum(t.revenue), 0)
    INTO lines, orders, units, revenue
    FROM (
        SELECT f.order_id, count(*) AS lines, sum(f.quantity) AS units, coalesce(sum(f.revenue), 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= kept.load_xid_below
        GROUP BY f.order_id
    ) t
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE kept.load_xid_below > 0 AND o.order_id = t.order_id AND o.load_xid < kept.load_xid_below LIMIT 1
    ) known ON true;
END $$;
CREATE OR REPLACE FUNCTION realtime.category_totals() RETURNS TABLE (category text, lines bigint, orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT load_xid_below INTO cut FROM realtime.rolled;
    RETURN QUERY
    WITH tail AS MATERIALIZED (
        SELECT f.category_key, f.order_id, f.quantity, coalesce(f.revenue, 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= cut
    ), parts AS (
        SELECT t.category_key, count(*) AS lines, 0 AS orders, sum(t.quantity)::bigint AS units, sum(t.revenue) AS revenue
        FROM tail t
        GROUP BY t.category_key
        UNION ALL
        SELECT n.category_key, 0, count(*), 0, 0
        FROM (SELECT DISTINCT t.category_key, t.order_id FROM tail t) n
        WHERE cut = 0 OR NOT EXISTS (
            SELECT FROM warehouse.fact_sales o
            WHERE o.order_id = n.order_id AND o.category_key = n.category_key AND o.load_xid < cut
        )
        GROUP BY n.category_key
        UNION ALL
        SELECT category_key, lines, orders, units, revenue FROM realtime.rolled_categories
    )
    SELECT c.category, sum(p.lines)::bigint, sum(p.orders)::bigint, sum(p.units)::bigint, sum(p.revenue)
    FROM parts p JOIN warehouse.dim_category c USING (category_key)
    GROUP BY c.category;
END $$;
ALTER FUNCTION realtime.totals() SET enable_seqscan = off;
ALTER FUNCTION realtime.totals() SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.category_totals() SET enable_seqscan = off;
ALTER FUNCTION realtime.category_totals() SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.top_products(integer) SET enable_seqscan = off;
ALTER FUNCTION realtime.top_products(integer) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.top_customers(integer) SET enable_seqscan = off;
ALTER FUNCTION realtime.top_customers(integer) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.facts_below(bigint) SET enable_seqscan = off;
