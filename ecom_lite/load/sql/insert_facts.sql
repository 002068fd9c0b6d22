-- How many lines of each partition were new: the others are duplicates.
WITH inserted AS (
    INSERT INTO warehouse.fact_sales ({columns})
    SELECT * FROM incoming_facts
    ON CONFLICT DO NOTHING
    RETURNING source_partition
)
SELECT source_partition, count(*) FROM inserted GROUP BY source_partition
