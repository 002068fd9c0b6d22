-- Records loaded, facts, and order lines in the minutes.
SELECT
    (SELECT coalesce(sum(next_offset), 0)::bigint FROM ops.consumer_offsets WHERE topic = %(topic)s),
    (SELECT count(*) FROM warehouse.fact_sales),
    (SELECT coalesce(sum(lines), 0)::bigint FROM realtime.minutes_by_currency)
