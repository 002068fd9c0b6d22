-- Facts that a run started now would take and no good run has taken. Both bounds are literals to the planner: a BRIN lookup.
SELECT EXISTS (
    SELECT FROM warehouse.fact_sales
    WHERE load_xid >= %(taken)s AND load_xid < %(below)s
);
