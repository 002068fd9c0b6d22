CREATE TEMP TABLE incoming_facts ON COMMIT DELETE ROWS AS
SELECT {columns} FROM warehouse.fact_sales
WITH NO DATA
