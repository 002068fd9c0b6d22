-- The newest wins: `described_at` goes up with each newer order line of a product, also where it says the same as the one before.
-- Until now it was the time of the first line that said so. What is known of that are the facts: what is shown, the newest has said.
UPDATE warehouse.dim_product p
SET described_at = f.newest
FROM (SELECT product_key, max(ordered_at) AS newest FROM warehouse.fact_sales GROUP BY product_key) f
WHERE f.product_key = p.product_key AND f.newest > p.described_at;

-- So that a row is written anew beside itself, without its indexes.
ALTER TABLE warehouse.dim_product SET (fillfactor = 70);

COMMENT ON TABLE warehouse.dim_product IS 'One row per product, with the newest title and category by event time; of order lines at one time the greater ones.';
COMMENT ON COLUMN warehouse.dim_product.described_at IS 'Event time of the newest order line: it gave the title and category shown here.';
COMMENT ON TABLE warehouse.user_changes IS 'History of the customers'' profiles: one row per registration or change; of those with one time the greater value of each field.';
COMMENT ON COLUMN ops.dbt_runs.message IS 'The first failing test, the error, or whose open transaction keeps facts out of the marts; empty where all is well.';
