-- The Explorer costs the hours of its range and not their facts, where nothing is asked of single customers and products: the sums of the last
-- nine days (0038) know categories and countries. What they do not know (who bought, which products) is asked of the newest lines, so many
-- at most. A busy shop's day is millions of facts, which seven panels read.
SET LOCAL check_function_bodies = off;  -- the marts are made later, by dbt

-- Whether the sums are all that there is, or were a moment ago.
CREATE FUNCTION realtime.sums_will_do(max_age interval) RETURNS boolean
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    kept realtime.rolled;
BEGIN
    SELECT * INTO kept FROM realtime.rolled;
    RETURN kept.load_xid_below > 0 AND (
        realtime.tail_from(kept, max_age) > kept.load_xid_below
        OR NOT EXISTS (SELECT FROM warehouse.fact_sales f WHERE f.load_xid >= kept.load_xid_below)
    );
END $$;

-- By hours, or by minutes where the shop's hours are not those of UTC. An order counts once: in the sums at its first line, else at the first
-- that is selected. Of several categories the sums do not know which orders have two of them.
CREATE FUNCTION realtime.selection(
    since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[], products text[]
)
RETURNS TABLE (begins timestamptz, category_key integer, country text, lines bigint, orders bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    zone text := (SELECT c.time_zone FROM ops.calendar c);
    fits boolean := extract(minute FROM since AT TIME ZONE zone) = extract(minute FROM since AT TIME ZONE 'UTC')
        AND extract(minute FROM until AT TIME ZONE zone) = extract(minute FROM until AT TIME ZONE 'UTC');
    bin interval := CASE WHEN fits THEN interval '1 hour' ELSE interval '1 minute' END;
    minutes_end timestamptz := date_bin('1 minute', until + interval '59.999999 seconds', 'epoch');
    sums_from timestamptz := minutes_end;
    hours_from timestamptz := minutes_end;
    hours_end timestamptz := minutes_end;
BEGIN
    IF segments && '{*}' AND customers && '{"",*}' AND products && '{"",*}' AND (categories && '{*}' OR cardinality(categories) = 1)
       AND realtime.sums_will_do('30 seconds') THEN  -- a busy machine's pass takes seconds, and the facts would make it busier
        -- Nine days are kept, less the hour that may pass between two passes.
        sums_from := least(minutes_end, greatest(date_bin('1 minute', since, 'epoch'),
                                                 date_bin('1 hour', now(), 'epoch') - interval '9 days' + interval '1 hour'));
    END IF;
    IF fits THEN
        hours_from := date_bin('1 hour', sums_from + interval '59 minutes 59.999999 seconds', 'epoch');
        hours_end := date_bin('1 hour', minutes_end, 'epoch');
    END IF;
    IF sums_from < minutes_end THEN
        RETURN QUERY
        SELECT date_bin(bin, r.begins, 'epoch'), r.category_key, r.country, r.lines,
               CASE WHEN categories && '{*}' THEN r.orders ELSE r.category_orders END, r.units, r.revenue
        FROM (
            SELECT * FROM realtime.recent_sales h WHERE h.minutes = 60 AND h.begins >= hours_from AND h.begins < hours_end
            UNION ALL
            SELECT * FROM realtime.recent_sales m
            WHERE m.minutes = 1 AND m.begins >= sums_from AND m.begins < least(hours_from, minutes_end)
            UNION ALL
            SELECT * FROM realtime.recent_sales m
            WHERE m.minutes = 1 AND m.begins >= greatest(hours_from, hours_end) AND m.begins < minutes_end
        ) r
        WHERE (categories && '{*}' OR r.category_key IN (SELECT c.category_key FROM warehouse.dim_category c WHERE c.category = ANY (categories)))
            AND (countries && '{*}' OR r.country = ANY (countries));
    END IF;
    IF since < sums_from THEN
        RETURN QUERY
        SELECT date_bin(bin, l.ordered_at, 'epoch'), l.category_key, coalesce(u.country, '(unknown)'), count(*),
               count(*) FILTER (WHERE l.starts), sum(l.quantity)::bigint, sum(l.revenue)
        FROM (
            SELECT s.*, row_number() OVER (PARTITION BY s.order_id ORDER BY s.ordered_at, s.product_key) = 1 AS starts
            FROM realtime.selected_lines(since, least(until, sums_from), categories, countries, segments, customers, products) s
        ) l
        JOIN warehouse.dim_user u ON u.user_key = l.user_key
        GROUP BY 1, 2, 3;
    END IF;
END $$;

-- From where on a range has at most `most` order lines of all selections, to the minute, but never less than its last one. A customer's lines
-- are found by an index and need no limit. What is older than the kept hours is known by the marts; all of it where nobody keeps sums.
CREATE FUNCTION realtime.lines_since(most bigint, since timestamptz, until timestamptz, customers text[]) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    kept_from timestamptz := (
        SELECT CASE WHEN k.load_xid_below = 0 THEN 'infinity' ELSE date_bin('1 hour', now(), 'epoch') - interval '9 days' + interval '1 hour' END
        FROM realtime.rolled k
    );
    full_hour timestamptz;
    left_over bigint;
    full_minute timestamptz;
BEGIN
    IF NOT customers && '{"",*}' THEN
        RETURN since;
    END IF;
    SELECT h.hour, h.later INTO full_hour, left_over
    FROM (
        SELECT x.hour, x.lines, most - coalesce(sum(x.lines) OVER (ORDER BY x.hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS later
        FROM (
            SELECT r.begins AS hour, sum(r.lines) AS lines FROM realtime.recent_sales r
            WHERE r.minutes = 60 AND r.begins >= greatest(kept_from, date_bin('1 hour', since, 'epoch')) AND r.begins < until GROUP BY r.begins
            UNION ALL
            SELECT m.hour, m.lines FROM marts.hourly_sales m
            WHERE m.hour >= date_bin('1 hour', since, 'epoch') AND m.hour < least(kept_from, until)
        ) x
    ) h
    WHERE h.lines > h.later
    ORDER BY h.hour DESC LIMIT 1;
    IF full_hour IS NULL THEN
        RETURN since;
    END IF;
    SELECT m.minute INTO full_minute
    FROM (
        SELECT r.begins AS minute, sum(sum(r.lines)) OVER (ORDER BY r.begins DESC) AS lines FROM realtime.recent_sales r
        WHERE r.minutes = 1 AND r.begins >= full_hour AND r.begins < least(full_hour + interval '1 hour', until) GROUP BY r.begins
    ) m
    WHERE m.lines > left_over
    ORDER BY m.minute DESC LIMIT 1;
    full_minute := coalesce(full_minute, full_hour + interval '59 minutes');
    RETURN greatest(since, least(full_minute + interval '1 minute', date_bin('1 minute', until - interval '1 microsecond', 'epoch')));
END $$;

CREATE FUNCTION realtime.selected_customers(
    most bigint, since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[], products text[]
)
RETURNS TABLE (user_key bigint, lines bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    since := realtime.lines_since(most, since, until, customers);
    RETURN QUERY
    SELECT l.user_key, count(*), sum(l.revenue)
    FROM realtime.selected_lines(since, until, categories, countries, segments, customers, products) l
    GROUP BY l.user_key;
END $$;

CREATE FUNCTION realtime.selected_products(
    most bigint, since timestamptz, until timestamptz, categories text[], countries text[], segments text[], customers text[], products text[]
)
RETURNS TABLE (product_key bigint, units bigint, revenue numeric)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    since := realtime.lines_since(most, since, until, customers);
    RETURN QUERY
    SELECT l.product_key, sum(l.quantity)::bigint, sum(l.revenue)
    FROM realtime.selected_lines(since, until, categories, countries, segments, customers, products) l
    GROUP BY l.product_key;
END $$;

ALTER FUNCTION realtime.selection(timestamptz, timestamptz, text[], text[], text[], text[], text[]) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.selected_customers(bigint, timestamptz, timestamptz, text[], text[], text[], text[], text[]) SET max_parallel_workers_per_gather = 0;
ALTER FUNCTION realtime.selected_products(bigint, timestamptz, timestamptz, text[], text[], text[], text[], text[]) SET max_parallel_workers_per_gather = 0;

COMMENT ON FUNCTION realtime.sums_will_do(interval) IS 'Whether the kept sums have all facts, or had them so lately.';
COMMENT ON FUNCTION realtime.selection(timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'A selection of order lines by hour, category and country. Of the last nine days from kept sums to the whole minute, where only one category or countries are selected; else from the facts.';
COMMENT ON FUNCTION realtime.lines_since(bigint, timestamptz, timestamptz, text[]) IS 'From where on a time range has at most so many order lines; its begin where it has no more, or where customers are selected.';
COMMENT ON FUNCTION realtime.selected_customers(bigint, timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'Who ordered the newest lines of a time range (at most so many) that are selected, and how much.';
COMMENT ON FUNCTION realtime.selected_products(bigint, timestamptz, timestamptz, text[], text[], text[], text[], text[]) IS 'Which products the newest lines of a time range (at most so many) have that are selected, and how much of them.';
