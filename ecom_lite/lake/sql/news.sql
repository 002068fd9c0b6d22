-- How much there is to take in, by table: all below the cut is committed, and nothing can appear there any more.
SELECT (SELECT count(*) FROM warehouse.fact_sales WHERE load_xid >= %(since)s AND load_xid < %(below)s),
       (SELECT count(*) FROM warehouse.fact_returns WHERE load_xid >= %(since)s AND load_xid < %(below)s),
       (SELECT count(*) FROM warehouse.user_changes WHERE load_xid >= %(since)s AND load_xid < %(below)s)
