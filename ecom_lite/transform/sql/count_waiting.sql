-- How many facts wait, counted up to %(most)s. Both bounds are literals to the planner: a BRIN lookup.
SELECT count(*)
FROM (
    SELECT FROM warehouse.fact_sales
    WHERE load_xid >= %(taken)s AND load_xid < %(below)s
    LIMIT %(most)s
) waiting;
