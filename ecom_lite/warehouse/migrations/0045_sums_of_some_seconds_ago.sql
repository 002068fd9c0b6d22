-- Seven panels add up the tail each few seconds. Beside a backlog that is loaded at full speed it is a hundred thousand facts, and eight who
-- looked took a fifth of the loader's rate. A figure may be some seconds old where the board says so (`max_age`): then the sums as they are will
-- do, if a pass was made that lately. Without it, and where nobody keeps the sums up, the figures are exact at every moment as before.
DROP FUNCTION realtime.category_totals();
DROP FUNCTION realtime.top_products(integer);
DROP FUNCTION realtime.top_customers(integer);

-- From which load_xid on the facts are added to the kept sums; the largest number where they need not be. Sums without a cut are void.
CREATE FUNCTION realtime.tail_from(kept realtime.rolled, max_age interval) RETURNS bigint LANGUAGE sql STABLE
RETURN CASE WHEN kept.load_xid_below > 0 AND max_age > interval '0' AND kept.updated_at > now() - max_age THEN 9223372036854775807
       ELSE kept.load_xid_below END;

CREATE FUNCTION realtime.totals(max_age interval, OUT lines bigint, OUT orders bigint, OUT units bigint, OUT revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept realtime.rolled;
    cut bigint;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    cut := realtime.tail_from(kept, max_age);
    SELECT kept.lines + coalesce(sum(t.lines), 0), kept.orders + count(t.order_id) FILTER (WHERE known.yes IS NULL),
           kept.units + coalesce(sum(t.units), 0), kept.revenue + coalesce(sum(t.revenue), 0)
    INTO lines, orders, units, revenue
    FROM (
        SELECT f.order_id, count(*) AS lines, sum(f.quantity) AS units, coalesce(sum(f.revenue), 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= cut
        GROUP BY f.order_id
    ) t
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE cut > 0 AND o.order_id = t.order_id AND o.load_xid < cut LIMIT 1
    ) known ON true;
END $$;

-- ops.count_that_closes stands on it.
CREATE OR REPLACE FUNCTION realtime.totals(OUT lines bigint, OUT orders bigint, OUT units bigint, OUT revenue numeric) LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.lines, t.orders, t.units, t.revenue FROM realtime.totals(interval '0') t;
END;

CREATE FUNCTION realtime.category_totals(max_age interval DEFAULT '0')
RETURNS TABLE (category text, lines bigint, orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT realtime.tail_from(r, max_age) INTO cut FROM realtime.rolled r;
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

CREATE FUNCTION realtime.top_products(first integer, max_age interval DEFAULT '0')
RETURNS TABLE (product_id text, product_title text, lines bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT realtime.tail_from(r, max_age) INTO cut FROM realtime.rolled r;
    RETURN QUERY
    WITH tail AS MATERIALIZED (
        SELECT f.product_key, count(*) AS lines, sum(f.quantity) AS units, coalesce(sum(f.revenue), 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= cut
        GROUP BY f.product_key
    ), kept AS (
        (SELECT k.product_key, k.lines, k.units, k.revenue FROM realtime.rolled_products k
         WHERE NOT EXISTS (SELECT FROM tail t WHERE t.product_key = k.product_key)
         ORDER BY k.revenue DESC, k.product_key LIMIT first)
        UNION ALL
        SELECT t.product_key, t.lines + coalesce(k.lines, 0), t.units + coalesce(k.units, 0), t.revenue + coalesce(k.revenue, 0)
        FROM tail t
        LEFT JOIN LATERAL (SELECT * FROM realtime.rolled_products r WHERE r.product_key = t.product_key LIMIT 1) k ON true
    )
    SELECT p.product_id, p.product_title, k.lines, k.units::bigint, k.revenue
    FROM (SELECT * FROM kept ORDER BY kept.revenue DESC, kept.product_key LIMIT first) k
    JOIN warehouse.dim_product p USING (product_key)
    ORDER BY k.revenue DESC, p.product_key;
END $$;

CREATE FUNCTION realtime.top_customers(first integer, max_age interval DEFAULT '0')
RETURNS TABLE (user_id text, name text, country text, lines bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT realtime.tail_from(r, max_age) INTO cut FROM realtime.rolled r;
    RETURN QUERY
    WITH tail AS MATERIALIZED (
        SELECT f.user_key, count(*) AS lines, sum(f.quantity) AS units, coalesce(sum(f.revenue), 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= cut
        GROUP BY f.user_key
    ), kept AS (
        (SELECT k.user_key, k.lines, k.units, k.revenue FROM realtime.rolled_customers k
         WHERE NOT EXISTS (SELECT FROM tail t WHERE t.user_key = k.user_key)
         ORDER BY k.revenue DESC, k.user_key LIMIT first)
        UNION ALL
        SELECT t.user_key, t.lines + coalesce(k.lines, 0), t.units + coalesce(k.units, 0), t.revenue + coalesce(k.revenue, 0)
        FROM tail t
        LEFT JOIN LATERAL (SELECT * FROM realtime.rolled_customers r WHERE r.user_key = t.user_key LIMIT 1) k ON true
    )
    SELECT u.user_id, u.name, u.country, k.lines, k.units::bigint, k.revenue
    FROM (SELECT * FROM kept ORDER BY kept.revenue DESC, kept.user_key LIMIT first) k
    JOIN warehouse.dim_user u USING (user_key)
    ORDER BY k.revenue DESC, u.user_key;
END $$;

ALTER FUNCTION realtime.totals(interval) SET enable_seqscan = off;
ALTER FUNCTION realtime.totals(interval) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.category_totals(interval) SET enable_seqscan = off;
ALTER FUNCTION realtime.category_totals(interval) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.top_products(integer, interval) SET enable_seqscan = off;
ALTER FUNCTION realtime.top_products(integer, interval) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.top_customers(integer, interval) SET enable_seqscan = off;
ALTER FUNCTION realtime.top_customers(integer, interval) SET max_parallel_workers_per_gather = 0;

COMMENT ON FUNCTION realtime.tail_from(realtime.rolled, interval) IS 'From which load_xid on facts are to be added to the kept sums, where these may be so old.';
COMMENT ON FUNCTION realtime.totals(interval) IS 'As `totals()`, at this moment or at most `max_age` ago.';
COMMENT ON FUNCTION realtime.category_totals(interval) IS 'The same by category.';
COMMENT ON FUNCTION realtime.top_products(integer, interval) IS 'The products with the most revenue, at this moment or at most `max_age` ago.';
COMMENT ON FUNCTION realtime.top_customers(integer, interval) IS 'The customers with the most revenue, at this moment or at most `max_age` ago.';
