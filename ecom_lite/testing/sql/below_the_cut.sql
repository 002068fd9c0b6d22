-- Whether marts that are made now have all that is loaded.
SELECT coalesce(
    ops.load_order_cut() > greatest(
        (SELECT max(load_xid) FROM warehouse.fact_sales),
        (SELECT max(load_xid) FROM warehouse.fact_returns),
        (SELECT max(load_xid) FROM warehouse.user_changes)
    ),
    true
)
