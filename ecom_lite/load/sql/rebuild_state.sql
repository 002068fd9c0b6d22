-- Whether a rebuild has begun and not ended; how many facts there are; how many offsets are accounted for.
SELECT EXISTS (SELECT FROM ops.rebuilds WHERE finished_at IS NULL),
       (SELECT count(*) FROM warehouse.fact_sales),
       (SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM ops.consumer_offsets)
