-- The lake (ecom_lite.lake): DuckLake keeps its catalogue in a schema of its own, which belongs to the role that writes it. What it copies it
-- may only read. Everyone's reader may read the catalogue; the data are Parquet files.
CREATE SCHEMA ducklake AUTHORIZATION ecom_lake;
GRANT USAGE ON SCHEMA ducklake TO ecom_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_lake IN SCHEMA ducklake GRANT SELECT ON TABLES TO ecom_reader;

GRANT USAGE ON SCHEMA warehouse, ops TO ecom_lake;
GRANT SELECT ON ALL TABLES IN SCHEMA warehouse TO ecom_lake;
GRANT SELECT ON ops.server, ops.attributes TO ecom_lake;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_owner IN SCHEMA warehouse GRANT SELECT ON TABLES TO ecom_lake;
