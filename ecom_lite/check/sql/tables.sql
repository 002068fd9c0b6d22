SELECT (SELECT count(*) FROM warehouse.fact_returns) + (SELECT count(*) FROM warehouse.user_changes) AS other_rows,
       (SELECT count(*) FROM ops.dead_letters) AS dead_rows
