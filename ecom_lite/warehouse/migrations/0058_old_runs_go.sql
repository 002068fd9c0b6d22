-- dbt's runs are forgotten once there are very many (ecom_lite/transform/sql/forget_runs.sql).
GRANT DELETE ON ops.dbt_runs TO ecom_dbt;
