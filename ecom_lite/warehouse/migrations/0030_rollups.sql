-- What people look at all the time costs what is new, not what is there: sums over all facts below a cut, kept by load order
-- (`ecom_lite.rollups`), and functions that add the tail, the facts from the cut on. One statement sees one moment, so a figure is exact
-- whatever the cut is. Money is in the reporting currency; what has no rate adds nothing. The functions are plpgsql because the planner
-- must know the cut: with a plain view it would read all facts.
CREATE TABLE realtime.rolled (
    one_row       boolean PRIMARY KEY DEFAULT true CHECK (one_row),
    load_xid_below bigint NOT NULL DEFAULT 0,
    lines         bigint NOT NULL DEFAULT 0,
    orders        bigint NOT NULL DEFAULT 0,
    units         bigint NOT NULL DEFAULT 0,
    revenue       numeric(24, 4) NOT NULL DEFAULT 0,
    updated_at    timestamptz NOT NULL DEFAULT now()
);
INSERT INTO realtime.rolled DEFAULT VALUES;

CREATE TABLE realtime.rolled_categories (
    category_key  integer PRIMARY KEY,
    lines         bigint NOT NULL,
    orders        bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL
);
CREATE TABLE realtime.rolled_products (
    product_key   bigint PRIMARY KEY,
    lines         bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL
);
CREATE TABLE realtime.rolled_customers (
    user_key      bigint PRIMARY KEY,
    lines         bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL
);
CREATE INDEX rolled_products_revenue ON realtime.rolled_products (revenue DESC, product_key);
CREATE INDEX rolled_customers_revenue ON realtime.rolled_customers (revenue DESC, user_key);

GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.rolled, realtime.rolled_categories, realtime.rolled_products, realtime.rolled_customers
    TO ecom_stream;
GRANT SELECT ON realtime.rolled, realtime.rolled_categories, realtime.rolled_products, realtime.rolled_customers TO ecom_reader;

CREATE FUNCTION realtime.totals(OUT lines bigint, OUT orders bigint, OUT units bigint, OUT revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept realtime.rolled;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    SELECT kept.lines + count(*), kept.units + coalesce(sum(f.quantity), 0), kept.revenue + coalesce(sum(f.revenue), 0)
    INTO lines, units, revenue
    FROM warehouse.sales f WHERE f.load_xid >= kept.load_xid_below;
    SELECT kept.orders + count(*) INTO orders
    FROM (SELECT DISTINCT f.order_id FROM warehouse.fact_sales f WHERE f.load_xid >= kept.load_xid_below) n
    LEFT JOIN LATERAL (
        SELECT true AS yes FROM warehouse.fact_sales o
        WHERE kept.load_xid_below > 0 AND o.order_id = n.order_id AND o.load_xid < kept.load_xid_below LIMIT 1
    ) known ON true
    WHERE known.yes IS NULL;
END $$;

CREATE FUNCTION realtime.category_totals() RETURNS TABLE (category text, lines bigint, orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT load_xid_below INTO cut FROM realtime.rolled;
    RETURN QUERY
    WITH tail AS MATERIALIZED (
        SELECT f.category_key, f.order_id, count(*) AS lines, sum(f.quantity) AS units, coalesce(sum(f.revenue), 0) AS revenue
        FROM warehouse.sales f WHERE f.load_xid >= cut
        GROUP BY f.category_key, f.order_id
    ), parts AS (
        SELECT t.category_key, sum(t.lines)::bigint AS lines, count(*) FILTER (WHERE known.yes IS NULL) AS orders,
               sum(t.units)::bigint AS units, sum(t.revenue) AS revenue
        FROM tail t
        LEFT JOIN LATERAL (
            SELECT true AS yes FROM warehouse.fact_sales o
            WHERE cut > 0 AND o.order_id = t.order_id AND o.category_key = t.category_key AND o.load_xid < cut LIMIT 1
        ) known ON true
        GROUP BY t.category_key
        UNION ALL
        SELECT category_key, lines, orders, units, revenue FROM realtime.rolled_categories
    )
    SELECT c.category, sum(p.lines)::bigint, sum(p.orders)::bigint, sum(p.units)::bigint, sum(p.revenue)
    FROM parts p JOIN warehouse.dim_category c USING (category_key)
    GROUP BY c.category;
END $$;

-- Of those without new lines only the first of the kept sums can be among the first; all that have new lines may be. Of equal sums the
-- product, or the customer, comes first that was known first.
CREATE FUNCTION realtime.top_products(first integer)
RETURNS TABLE (product_id text, product_title text, lines bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT load_xid_below INTO cut FROM realtime.rolled;
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

CREATE FUNCTION realtime.top_customers(first integer)
RETURNS TABLE (user_id text, name text, country text, lines bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    cut bigint;
BEGIN
    SELECT load_xid_below INTO cut FROM realtime.rolled;
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

-- A look at the tail reads what has no BRIN summary yet, and vacuum comes once a minute: those who keep the sums may summarise.
CREATE FUNCTION ops.summarise_facts() RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS
    'SELECT brin_summarize_new_values(''warehouse.fact_sales_load_xid'')';
REVOKE EXECUTE ON FUNCTION ops.summarise_facts() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.summarise_facts() TO ecom_stream;

-- Other rates make the sums void: the next pass takes all facts in anew, and until then the figures are added up from the facts. In the
-- transaction of the change, so that no figure is of both.
CREATE FUNCTION realtime.forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
    DELETE FROM realtime.rolled_categories;
    DELETE FROM realtime.rolled_products;
    DELETE FROM realtime.rolled_customers;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_sums AFTER INSERT OR UPDATE OR DELETE ON warehouse.rates
    FOR EACH STATEMENT EXECUTE FUNCTION realtime.forget_sums();
CREATE TRIGGER forget_sums AFTER UPDATE ON ops.reporting_currency
    FOR EACH ROW WHEN (old.currency <> new.currency) EXECUTE FUNCTION realtime.forget_sums();

COMMENT ON TABLE realtime.rolled IS 'One row: the sums over all facts below a cut. `realtime.totals()` adds the facts since.';
COMMENT ON COLUMN realtime.rolled.one_row IS 'Always true: there is one row.';
COMMENT ON COLUMN realtime.rolled.load_xid_below IS 'The cut: facts with a load_xid below it are in the sums, here and in the other rolled_ tables.';
COMMENT ON COLUMN realtime.rolled.updated_at IS 'When the newest facts were taken in.';
COMMENT ON TABLE realtime.rolled_categories IS 'The sums below the cut by category. `realtime.category_totals()` adds the facts since.';
COMMENT ON COLUMN realtime.rolled_categories.category_key IS 'The category (dim_category) that the order lines had.';
COMMENT ON TABLE realtime.rolled_products IS 'The sums below the cut by product. `realtime.top_products(10)` adds the facts since.';
COMMENT ON COLUMN realtime.rolled_products.product_key IS 'The product (dim_product).';
COMMENT ON TABLE realtime.rolled_customers IS 'The sums below the cut by customer. `realtime.top_customers(5)` adds the facts since.';
COMMENT ON COLUMN realtime.rolled_customers.user_key IS 'The customer (dim_user).';
COMMENT ON COLUMN realtime.rolled.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.rolled.orders IS 'Distinct orders.';
COMMENT ON COLUMN realtime.rolled.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.rolled.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON COLUMN realtime.rolled_categories.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.rolled_categories.orders IS 'Distinct orders with a line of this category.';
COMMENT ON COLUMN realtime.rolled_categories.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.rolled_categories.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON COLUMN realtime.rolled_products.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.rolled_products.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.rolled_products.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON COLUMN realtime.rolled_customers.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.rolled_customers.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.rolled_customers.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON FUNCTION realtime.totals() IS 'Order lines, orders, units and revenue of all facts, at this moment; costs what was loaded in the last seconds.';
COMMENT ON FUNCTION realtime.category_totals() IS 'The same by category.';
COMMENT ON FUNCTION realtime.top_products(integer) IS 'The products with the most revenue, at this moment.';
COMMENT ON FUNCTION realtime.top_customers(integer) IS 'The customers with the most revenue, at this moment.';
