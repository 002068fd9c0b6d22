-- As in 0038, but of a shop that is younger than the window, the minutes that it has: three minutes of sales over five would be a pace that
-- nobody ever sold at. And where it did not sell yet, there is nothing to compare with, rather than nought. Its age is looked up in the sums by
-- minute, of which nine days are kept.
CREATE OR REPLACE FUNCTION realtime.pace(
    at timestamptz DEFAULT now(), categories text[] DEFAULT '{*}', countries text[] DEFAULT '{*}',
    OUT minutes integer, OUT orders bigint, OUT revenue numeric, OUT orders_yesterday bigint, OUT orders_last_week bigint
)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    zone text := (SELECT c.time_zone FROM ops.calendar c);
    minute timestamptz := date_bin('1 minute', at, 'epoch');
    began timestamptz := (SELECT min(s.begins) FROM realtime.recent_sales s WHERE s.minutes = 1);
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
    IF began > minute - minutes * interval '1 minute' THEN
        minutes := greatest(1, extract(epoch FROM minute - began)::integer / 60);
    END IF;
    SELECT CASE WHEN began < ends[1] THEN coalesce(sum(o.orders) FILTER (WHERE s.span = 1), 0) END,
           CASE WHEN began < ends[2] THEN coalesce(sum(o.orders) FILTER (WHERE s.span = 2), 0) END
    INTO orders_yesterday, orders_last_week
    FROM realtime.sold(ARRAY[ends[1] - pace.minutes * interval '1 minute', ends[2] - pace.minutes * interval '1 minute'], ends,
                       categories, countries) s
    CROSS JOIN LATERAL (SELECT CASE WHEN '*' = ANY (categories) THEN s.orders ELSE s.category_orders END AS orders) o;
END $$;
COMMENT ON FUNCTION realtime.pace(timestamptz, text[], text[]) IS 'Orders and revenue of the narrowest window that has ten orders (5 minutes to a day, or all the minutes of a younger shop), and the orders of the same window yesterday and a week ago, null before the first sale.';
