-- Schemas, and what each role may do. The roles themselves are made by `warehouse/roles.py`, which knows the passwords.
CREATE SCHEMA warehouse AUTHORIZATION ecom_owner;
CREATE SCHEMA realtime AUTHORIZATION ecom_owner;
CREATE SCHEMA marts AUTHORIZATION ecom_dbt;
CREATE SCHEMA ops AUTHORIZATION ecom_owner;

GRANT USAGE ON SCHEMA warehouse, ops TO ecom_loader, ecom_producer, ecom_stream, ecom_dbt, ecom_reader;
GRANT USAGE ON SCHEMA realtime TO ecom_stream, ecom_reader;
GRANT USAGE ON SCHEMA marts TO ecom_reader;

ALTER DEFAULT PRIVILEGES FOR ROLE ecom_owner IN SCHEMA warehouse, ops GRANT SELECT ON TABLES TO ecom_reader, ecom_dbt, ecom_loader;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_owner IN SCHEMA realtime GRANT SELECT ON TABLES TO ecom_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_owner IN SCHEMA realtime GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ecom_stream;
ALTER DEFAULT PRIVILEGES FOR ROLE ecom_dbt IN SCHEMA marts GRANT SELECT ON TABLES TO ecom_reader;
