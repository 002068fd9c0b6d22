-- The order lines behind a figure: those of a time range and of a selection of categories, countries, segments, customers and products.
-- What is asked narrowly is found by an index: a time range by the BRIN index, a customer by the orders that the marts know of.
SET LOCAL check_function_bodies = off;  -- the marts are made later, by dbt

-- The facts since the cut of the marts are few, and none is missed. plpgsql because the planner must know the cut.
CREATE FUNCTION realtime.orders_of(customers text[], since timestamptz, until timestamptz) RETURNS text[]
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    cut bigint;
    keys bigint[];
BEGIN
    SELECT coalesce(max(m.load_xid_below), 0) INTO cut FROM ops.mart_cuts m WHERE m.model = 'order_facts' AND m.part = '';
    SELECT array_agg(u.user_key) INTO keys FROM warehouse.dim_user u WHERE u.user_id = ANY (customers);
    RETURN ARRAY(
        SELECT o.order_id FROM marts.order_facts o
        WHERE o.user_id = ANY (customers) AND o.ordered_at < until AND o.last_line_at >= since
        UNION
        SELECT f.order_id FROM warehouse.fact_sales f
        WHERE f.load_xid >= cut AND f.user_key = ANY (keys) AND f.ordered_at >= since AND f.ordered_at < until
    );
END $$;

-- One SELECT, so that the planner sees through it: what is not selected by costs nothing, and columns that nobody asks for neither.
CREATE FUNCTION realtime.selected_lines(
    since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[], products text[]
)
RETURNS TABLE (order_id text, product_key bigint, user_key bigint, category_key integer, ordered_at timestamptz, quantity integer,
               unit_price numeric, revenue numeric)
LANGUAGE sql STABLE AS $$
SELECT f.order_id, f.product_key, f.user_key, f.category_key, f.ordered_at, f.quantity, f.unit_price, f.revenue
FROM warehouse.sales f
WHERE f.ordered_at >= since AND f.ordered_at < until
    AND (categories && '{*}' OR f.category_key IN (SELECT c.category_key FROM warehouse.dim_category c WHERE c.category = ANY (categories)))
    AND (countries && '{*}'
         OR f.user_key IN (SELECT u.user_key FROM warehouse.dim_user u WHERE coalesce(u.country, '(unknown)') = ANY (countries)))
    AND (segments && '{*}'
         OR f.user_key IN (SELECT u.user_key FROM marts.customer_ltv l JOIN warehouse.dim_user u USING (user_id) WHERE l.segment = ANY (segments)))
    AND (customers && '{"",*}'
         OR (f.order_id = ANY ((SELECT realtime.orders_of(customers, since, until))::text[])
             AND f.user_key IN (SELECT u.user_key FROM warehouse.dim_user u WHERE u.user_id = ANY (customers))))
    AND (products && '{"",*}' OR f.product_key = ANY (ARRAY(SELECT p.product_key FROM warehouse.dim_product p WHERE p.product_id = ANY (products))))
$$;

-- The newest first, from the end back in widening steps until there are enough: a long range is not read for a short list. A customer's
-- orders are found by an index at once.
CREATE FUNCTION realtime.newest_lines(
    first integer, since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[],
    products text[]
)
RETURNS TABLE (order_id text, product_key bigint, user_key bigint, category_key integer, ordered_at timestamptz, quantity integer,
               unit_price numeric, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    step interval := CASE WHEN customers && '{"",*}' THEN interval '1 hour' ELSE until - since END;
    upper_end timestamptz := until;
    lower_end timestamptz;
    more integer;
BEGIN
    WHILE first > 0 AND upper_end > since LOOP
        lower_end := greatest(since, upper_end - step);
        RETURN QUERY
        SELECT l.* FROM realtime.selected_lines(lower_end, upper_end, categories, countries, segments, customers, products) l
        ORDER BY l.ordered_at DESC, l.order_id, l.product_key LIMIT first;
        GET DIAGNOSTICS more = ROW_COUNT;
        first := first - more;
        upper_end := lower_end;
        step := step * 4;
    END LOOP;
END $$;

-- Cancellations and returns on their own day, as their events say, at the price paid.
CREATE FUNCTION realtime.selected_returns(
    since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[], products text[]
)
RETURNS TABLE (order_id text, product_key bigint, user_key bigint, kind text, reason text, returned_at timestamptz, units integer,
               amount numeric)
LANGUAGE sql STABLE AS $$
SELECT r.order_id, f.product_key, f.user_key, r.kind, r.reason, r.returned_at, r.quantity, r.quantity * f.unit_price
FROM warehouse.fact_returns r
JOIN warehouse.dim_product p ON p.product_id = r.product_id
JOIN warehouse.sales f ON f.order_id = r.order_id AND f.product_key = p.product_key
WHERE r.returned_at >= since AND r.returned_at < until
    AND (categories && '{*}' OR f.category_key IN (SELECT c.category_key FROM warehouse.dim_category c WHERE c.category = ANY (categories)))
    AND (countries && '{*}'
         OR f.user_key IN (SELECT u.user_key FROM warehouse.dim_user u WHERE coalesce(u.country, '(unknown)') = ANY (countries)))
    AND (segments && '{*}'
         OR f.user_key IN (SELECT u.user_key FROM marts.customer_ltv l JOIN warehouse.dim_user u USING (user_id) WHERE l.segment = ANY (segments)))
    AND (customers && '{"",*}' OR f.user_key IN (SELECT u.user_key FROM warehouse.dim_user u WHERE u.user_id = ANY (customers)))
    AND (products && '{"",*}' OR p.product_id = ANY (products))
$$;

COMMENT ON FUNCTION realtime.orders_of(text[], timestamptz, timestamptz) IS 'The orders of some customers with a line from `since` to before `until`, and perhaps a few more; costs what these customers have ordered.';
COMMENT ON FUNCTION realtime.selected_lines(timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'The order lines from `since` to before `until` of a selection, in the reporting currency; {*} selects all, {""} all customers or products too.';
COMMENT ON FUNCTION realtime.newest_lines(integer, timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'The newest of `selected_lines`, newest first.';
COMMENT ON FUNCTION realtime.selected_returns(timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'The cancellations and returns from `since` to before `until` of a selection of order lines, whenever these were ordered.';
