-- The lake takes in the days of the marts, too (ecom_lite.lake.daily): it may read them, and what they are as of.
GRANT USAGE ON SCHEMA marts TO ecom_lake;
GRANT SELECT ON ALL TABLES IN SCHEMA marts TO ecom_lake;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_dbt IN SCHEMA marts GRANT SELECT ON TABLES TO ecom_lake;
GRANT SELECT ON ops.mart_cuts, ops.dbt_runs TO ecom_lake;
