SELECT coalesce(sum(own), 0)::bigint FROM ops.consumer_offsets
