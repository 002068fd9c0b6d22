-- Today so far against the same time of other days, by category and country, at the cost of the hours of a day and not of its facts: sums
-- of the last nine days by minute and by hour, kept by the pass that keeps the other sums (0030). What is said of them is exact at the cut of
-- that pass, which a run makes each second: a tail of 5,000 facts would cost each panel 50 ms, for where an order counts is asked of the facts.
-- Buckets are of UTC; where the shop's day begins is asked when the figure is (half of an hour is made of minutes), so another time zone
-- makes nothing anew. The country is that of the customer's profile when the line was taken in.
CREATE TABLE realtime.recent_sales (
    minutes       smallint NOT NULL CHECK (minutes IN (1, 60)),
    begins        timestamptz NOT NULL,
    category_key  integer NOT NULL,
    country       text NOT NULL,
    lines         bigint NOT NULL,
    orders        bigint NOT NULL,
    category_orders bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL,
    PRIMARY KEY (minutes, begins, category_key, country)
) WITH (fillfactor = 70);
CREATE TABLE realtime.recent_products (
    begins        timestamptz NOT NULL,
    product_key   bigint NOT NULL,
    lines         bigint NOT NULL,
    units         bigint NOT NULL,
    revenue       numeric(24, 4) NOT NULL,
    PRIMARY KEY (begins, product_key)
) WITH (fillfactor = 70);
GRANT SELECT, INSERT, UPDATE, DELETE ON realtime.recent_sales, realtime.recent_products TO ecom_stream;
GRANT SELECT ON realtime.recent_sales, realtime.recent_products TO ecom_reader;

-- What is summed up already is not in the new tables: the next pass takes all facts in anew, as after other rates.
CREATE OR REPLACE FUNCTION realtime.forget_sums() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
    DELETE FROM realtime.rolled_categories;
    DELETE FROM realtime.rolled_products;
    DELETE FROM realtime.rolled_customers;
    DELETE FROM realtime.recent_sales;
    DELETE FROM realtime.recent_products;
    RETURN NULL;
END $$;
UPDATE realtime.rolled SET load_xid_below = 0, lines = 0, orders = 0, units = 0, revenue = 0;
DELETE FROM realtime.rolled_categories;
DELETE FROM realtime.rolled_products;
DELETE FROM realtime.rolled_customers;

-- The newest returns are found from their end; a return is rare, and comes in about that order.
CREATE INDEX fact_returns_returned_at ON warehouse.fact_returns (returned_at);

-- What was sold in each span [begins[n], ends[n]) of whole minutes: whole hours as hours, the rest as minutes.
CREATE FUNCTION realtime.sold(begins timestamptz[], ends timestamptz[], categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}')
RETURNS TABLE (span integer, category text, country text, lines bigint, orders bigint, category_orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    chosen integer[];
BEGIN
    SELECT array_agg(c.category_key) INTO chosen FROM warehouse.dim_category c WHERE '*' = ANY (categories) OR c.category = ANY (categories);
    RETURN QUERY
    WITH spans AS MATERIALIZED (
        SELECT s.n::integer AS span, s.b, s.e,
               date_bin('1 hour', s.b + interval '59 minutes 59.999999 seconds', 'epoch') AS first_hour,
               date_bin('1 hour', s.e, 'epoch') AS end_hour
        FROM unnest(begins, ends) WITH ORDINALITY AS s (b, e, n)
    ), parts AS (
        SELECT s.span, r.category_key, r.country, sum(r.lines) AS lines, sum(r.orders) AS orders, sum(r.category_orders) AS category_orders,
               sum(r.units) AS units, sum(r.revenue) AS revenue
        FROM spans s
        CROSS JOIN LATERAL (
            SELECT * FROM realtime.recent_sales h
            WHERE h.minutes = 60 AND h.begins >= s.first_hour AND h.begins < s.end_hour
            UNION ALL
            SELECT * FROM realtime.recent_sales m
            WHERE m.minutes = 1 AND m.begins >= s.b AND m.begins < least(s.first_hour, s.e)
            UNION ALL
            SELECT * FROM realtime.recent_sales m
            WHERE m.minutes = 1 AND m.begins >= greatest(s.first_hour, s.end_hour) AND m.begins < s.e
        ) r
        WHERE r.category_key = ANY (chosen) AND ('*' = ANY (countries) OR r.country = ANY (countries))
        GROUP BY s.span, r.category_key, r.country
    )
    SELECT p.span, c.category, p.country, p.lines::bigint, p.orders::bigint, p.category_orders::bigint, p.units::bigint, p.revenue
    FROM parts p JOIN warehouse.dim_category c USING (category_key);
END $$;

-- An increase with its sign; null where there is nothing to compare with.
CREATE FUNCTION realtime.change(now numeric, before numeric) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN before > 0 THEN to_char(round(100 * (now - before) / before, 1), 'FMSG999,999,999,990.0') || ' %' END;

-- Days begin as the shop's clock says, and "the same time" is what it showed: where the clock is changed, a day is an hour longer or shorter.
-- Comparisons end with the last whole minute, on both sides; 'this minute' is what today has beyond it.
CREATE FUNCTION realtime.so_far(at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}')
RETURNS TABLE (span text, begins timestamptz, ends timestamptz, category text, country text, lines bigint, orders bigint,
               category_orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM ops.calendar c);
    minute timestamptz := date_bin('1 minute', at, 'epoch');
    clock timestamp := minute AT TIME ZONE zone;
    names text[] := ARRAY['today', 'this minute', 'yesterday', 'last week'];
    firsts timestamptz[] := ARRAY[
        clock::date::timestamp AT TIME ZONE zone, minute,
        (clock::date - 1)::timestamp AT TIME ZONE zone, (clock::date - 7)::timestamp AT TIME ZONE zone
    ];
    lasts timestamptz[] := ARRAY[
        minute, minute + interval '1 minute', (clock - interval '1 day') AT TIME ZONE zone, (clock - interval '7 days') AT TIME ZONE zone
    ];
BEGIN
    RETURN QUERY
    SELECT names[s.span], firsts[s.span], lasts[s.span], s.category, s.country, s.lines, s.orders, s.category_orders, s.units, s.revenue
    FROM realtime.sold(firsts, lasts, categories, countries) s;
END $$;

CREATE FUNCTION realtime.day_so_far(at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}')
RETURNS TABLE (revenue numeric, revenue_yesterday text, revenue_last_week text, orders bigint, orders_yesterday text, orders_last_week text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(sum(s.revenue) FILTER (WHERE s.span IN ('today', 'this minute')), 0),
           realtime.change(coalesce(sum(s.revenue) FILTER (WHERE s.span = 'today'), 0), sum(s.revenue) FILTER (WHERE s.span = 'yesterday')),
           realtime.change(coalesce(sum(s.revenue) FILTER (WHERE s.span = 'today'), 0), sum(s.revenue) FILTER (WHERE s.span = 'last week')),
           coalesce(sum(o.orders) FILTER (WHERE s.span IN ('today', 'this minute')), 0)::bigint,
           realtime.change(coalesce(sum(o.orders) FILTER (WHERE s.span = 'today'), 0), sum(o.orders) FILTER (WHERE s.span = 'yesterday')),
           realtime.change(coalesce(sum(o.orders) FILTER (WHERE s.span = 'today'), 0), sum(o.orders) FILTER (WHERE s.span = 'last week'))
    FROM realtime.so_far(at, categories, countries) s
    CROSS JOIN LATERAL (SELECT CASE WHEN '*' = ANY (categories) THEN s.orders ELSE s.category_orders END AS orders) o;
END;

-- The narrowest window that has ten orders, or else a day: 5, 15 or 60 minutes, 6 or 24 hours, all up to the last whole minute.
CREATE FUNCTION realtime.pace(
    at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}',
    OUT minutes integer, OUT orders bigint, OUT revenue numeric, OUT orders_yesterday bigint, OUT orders_last_week bigint
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM ops.calendar c);
    minute timestamptz := date_bin('1 minute', at, 'epoch');
    widths CONSTANT integer[] := ARRAY[5, 15, 60, 360, 1440];
    least_orders CONSTANT integer := 10;
    clock timestamp := minute AT TIME ZONE zone;
    ends timestamptz[] := ARRAY[(clock - interval '1 day') AT TIME ZONE zone, (clock - interval '7 days') AT TIME ZONE zone];
BEGIN
    -- Each ring holds what its window has beyond the one before.
    WITH rings AS (
        SELECT s.span, sum(CASE WHEN '*' = ANY (categories) THEN s.orders ELSE s.category_orders END) AS orders, sum(s.revenue) AS revenue
        FROM realtime.sold(
            ARRAY(SELECT minute - w * interval '1 minute' FROM unnest(widths) WITH ORDINALITY AS x (w, n) ORDER BY n),
            ARRAY(SELECT minute - coalesce(widths[n - 1], 0) * interval '1 minute' FROM generate_subscripts(widths, 1) AS n ORDER BY n),
            categories, countries
        ) s
        GROUP BY s.span
    ), windows AS (
        SELECT n, sum(coalesce(r.orders, 0)) OVER (ORDER BY n) AS orders, sum(coalesce(r.revenue, 0)) OVER (ORDER BY n) AS revenue
        FROM generate_subscripts(widths, 1) AS n LEFT JOIN rings r ON r.span = n
    )
    SELECT widths[w.n], w.orders, w.revenue INTO minutes, orders, revenue
    FROM windows w
    WHERE w.orders >= least_orders OR w.n = cardinality(widths)
    ORDER BY w.n LIMIT 1;
    SELECT coalesce(sum(o.orders) FILTER (WHERE s.span = 1), 0), coalesce(sum(o.orders) FILTER (WHERE s.span = 2), 0)
    INTO orders_yesterday, orders_last_week
    FROM realtime.sold(ARRAY[ends[1] - pace.minutes * interval '1 minute', ends[2] - pace.minutes * interval '1 minute'], ends,
                       categories, countries) s
    CROSS JOIN LATERAL (SELECT CASE WHEN '*' = ANY (categories) THEN s.orders ELSE s.category_orders END AS orders) o;
END $$;

CREATE FUNCTION realtime.window_words(minutes integer) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 'the last ' || CASE WHEN minutes = 60 THEN 'hour' WHEN minutes % 60 = 0 THEN minutes / 60 || ' hours' ELSE minutes || ' minutes' END;

-- The products whose revenue changed most: the hour up to the last whole ten minutes against the hour before it. Where fewer than twenty
-- lines were sold in it, 6 or 24 hours against those before.
CREATE FUNCTION realtime.movers(first integer, at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}')
RETURNS TABLE (product_id text, product_title text, category text, minutes integer, revenue numeric, before numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    ends timestamptz := date_bin('10 minutes', at, 'epoch');
    width integer;
    sold bigint;
    least_lines CONSTANT integer := 20;
BEGIN
    FOREACH width IN ARRAY ARRAY[60, 360, 1440] LOOP
        SELECT coalesce(sum(r.lines), 0) INTO sold FROM realtime.recent_products r
        WHERE r.begins >= ends - width * interval '1 minute' AND r.begins < ends;
        EXIT WHEN sold >= least_lines;
    END LOOP;
    RETURN QUERY
    WITH parts AS (
        SELECT r.product_key, r.begins >= ends - width * interval '1 minute' AS is_now, r.revenue
        FROM realtime.recent_products r
        WHERE r.begins >= ends - 2 * width * interval '1 minute' AND r.begins < ends
    ), sums AS (
        SELECT product_key, coalesce(sum(revenue) FILTER (WHERE is_now), 0) AS revenue, coalesce(sum(revenue) FILTER (WHERE NOT is_now), 0) AS before
        FROM parts GROUP BY product_key
    )
    SELECT p.product_id, p.product_title, c.category, width, s.revenue, s.before
    FROM sums s JOIN warehouse.dim_product p USING (product_key) JOIN warehouse.dim_category c ON c.category_key = p.category_key
    WHERE s.revenue <> s.before AND ('*' = ANY (categories) OR c.category = ANY (categories))
    ORDER BY abs(s.revenue - s.before) DESC, p.product_key
    LIMIT first;
END $$;

-- "Tuesday is 12 % ahead of last Tuesday; Kitchen leads."
CREATE FUNCTION realtime.headline(at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}')
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    today text;
    level CONSTANT numeric := 0.5;  -- percent: what is nearer is called level
    revenue numeric;
    until numeric;
    yesterday numeric;
    last_week numeric;
    leader text;
    sold_in integer;
    before numeric;
    other text;
    percent numeric;
    said text;
BEGIN
    SELECT to_char(at AT TIME ZONE c.time_zone, 'FMDay') INTO today FROM ops.calendar c;
    WITH sums AS MATERIALIZED (
        SELECT s.span, s.category, sum(s.revenue) AS revenue FROM realtime.so_far(at, categories, countries) s GROUP BY s.span, s.category
    ), leaders AS (
        SELECT s.category, sum(s.revenue) AS revenue FROM sums s WHERE s.span IN ('today', 'this minute')
        GROUP BY s.category HAVING sum(s.revenue) > 0
    )
    SELECT (SELECT sum(l.revenue) FROM leaders l), sum(s.revenue) FILTER (WHERE s.span = 'today'),
           sum(s.revenue) FILTER (WHERE s.span = 'yesterday'), sum(s.revenue) FILTER (WHERE s.span = 'last week'),
           (SELECT l.category FROM leaders l ORDER BY l.revenue DESC, l.category LIMIT 1), (SELECT count(*) FROM leaders)
    INTO revenue, until, yesterday, last_week, leader, sold_in
    FROM sums s;
    IF last_week > 0 THEN
        before := last_week; other := 'last ' || today;
    ELSIF yesterday > 0 THEN
        before := yesterday; other := 'yesterday';
    END IF;
    IF before IS NULL THEN
        RETURN CASE WHEN revenue IS NULL THEN 'Nothing sold yet this ' || today
                    ELSE today || ' has no day before to be compared with yet' || CASE WHEN sold_in > 1 THEN '; ' || leader || ' leads' ELSE '' END
               END;
    END IF;
    percent := round(100 * (coalesce(until, 0) - before) / before, 1);
    said := today || CASE
        WHEN revenue IS NULL THEN ' has sold nothing yet, unlike ' || other
        WHEN abs(percent) < level THEN ' is level with ' || other
        ELSE ' is ' || CASE WHEN abs(percent) < 10 THEN to_char(abs(percent), 'FM0.0') ELSE to_char(abs(percent), 'FM999,999,999,990') END
             || CASE WHEN percent > 0 THEN ' % ahead of ' ELSE ' % behind ' END || other
    END;
    RETURN said || CASE WHEN sold_in > 1 THEN '; ' || leader || ' leads' ELSE '' END;
END $$;

ALTER FUNCTION realtime.sold(timestamptz[], timestamptz[], text[], text[]) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.movers(integer, timestamptz, text[]) SET max_parallel_workers_per_gather = 0;

COMMENT ON TABLE realtime.recent_sales IS 'The sums below the cut (`rolled`) of the last nine days, by minute and by hour, category and country. `realtime.sold(...)` adds them up.';
COMMENT ON COLUMN realtime.recent_sales.minutes IS 'How long the span is: 1 or 60 minutes.';
COMMENT ON COLUMN realtime.recent_sales.begins IS 'Where it begins; spans are of UTC.';
COMMENT ON COLUMN realtime.recent_sales.category_key IS 'The category (dim_category) that the order lines had.';
COMMENT ON COLUMN realtime.recent_sales.country IS 'Country of the customer, by the profile when the line was taken in; (unknown) where it named none.';
COMMENT ON COLUMN realtime.recent_sales.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.recent_sales.orders IS 'Orders whose first line (in the load order) is among them: each order counts once, whatever its categories.';
COMMENT ON COLUMN realtime.recent_sales.category_orders IS 'Orders whose first line of this category is among them: an order of two categories counts in both.';
COMMENT ON COLUMN realtime.recent_sales.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.recent_sales.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON TABLE realtime.recent_products IS 'The sums below the cut (`rolled`) of the last three days, by ten minutes and product. `realtime.movers(10)` reads them.';
COMMENT ON COLUMN realtime.recent_products.begins IS 'Where the ten minutes begin.';
COMMENT ON COLUMN realtime.recent_products.product_key IS 'The product (dim_product).';
COMMENT ON COLUMN realtime.recent_products.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.recent_products.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.recent_products.revenue IS 'Sum of the revenue, in the reporting currency.';
COMMENT ON FUNCTION realtime.sold(timestamptz[], timestamptz[], text[], text[]) IS 'What was sold in spans of whole minutes of the last nine days, by category and country; ''*'' among the categories or countries: all.';
COMMENT ON FUNCTION realtime.change(numeric, numeric) IS 'How much more or less than before, as +12.3 %; null where before there was nothing.';
COMMENT ON FUNCTION realtime.so_far(timestamptz, text[], text[]) IS 'Today up to the last whole minute (and this minute), and up to the same time yesterday and a week ago, by the shop''s clock; by category and country.';
COMMENT ON FUNCTION realtime.day_so_far(timestamptz, text[], text[]) IS 'Today''s revenue and orders up to now, and by how much they are more than up to the same time yesterday and a week ago.';
COMMENT ON FUNCTION realtime.pace(timestamptz, text[], text[]) IS 'Orders and revenue of the narrowest window that has ten orders (5 minutes to a day), and the orders of the same window yesterday and a week ago.';
COMMENT ON FUNCTION realtime.window_words(integer) IS 'A window of so many minutes, in words.';
COMMENT ON FUNCTION realtime.movers(integer, timestamptz, text[]) IS 'The products whose revenue changed most from one hour to the next; over 6 or 24 hours where less than twenty lines were sold in one.';
COMMENT ON FUNCTION realtime.headline(timestamptz, text[], text[]) IS 'How the day goes, in one sentence.';
