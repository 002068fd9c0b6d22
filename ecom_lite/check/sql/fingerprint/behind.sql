-- What the last good dbt run has not taken: facts, and changed profiles, which are in marts.customer_ltv too.
WITH taken AS (
    SELECT coalesce((SELECT load_xid_below FROM ops.dbt_runs WHERE status IN ('success', 'tests failed')
                     ORDER BY run_id DESC LIMIT 1), 0) AS load_xid_below
)
SELECT (SELECT count(*) FROM warehouse.fact_sales, taken WHERE load_xid >= taken.load_xid_below)
     + (SELECT count(*) FROM warehouse.user_changes c, taken WHERE load_xid >= taken.load_xid_below
        AND EXISTS (SELECT FROM warehouse.fact_sales f JOIN warehouse.dim_user u USING (user_key) WHERE u.user_id = c.user_id))
