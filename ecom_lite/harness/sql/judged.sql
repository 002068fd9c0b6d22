-- The contract on the topic, once more: what each record is, and why it is nothing.
CREATE TABLE judged AS
WITH fields AS (
    SELECT *, coalesce(doc ->> 'event_type', 'order') AS kind,
           json_type(doc, '$.user_id') AS user_type, json_type(doc, '$.product_id') AS product_type,
           json_type(doc, '$.price') AS price_type, json_type(doc, '$.revenue') AS revenue_type,
           json_type(doc, '$.quantity') AS quantity_type, json_type(doc, '$.timestamp') AS time_type,
           TRY_CAST(doc ->> 'user_id' AS BIGINT) AS user_id, TRY_CAST(doc ->> 'product_id' AS BIGINT) AS product_id,
           (doc ->> 'order_id') AS order_id, (doc ->> 'product_title') AS title, (doc ->> 'category') AS category,
           TRY_CAST(doc ->> 'quantity' AS BIGINT) AS quantity,
           TRY_CAST(doc ->> 'price' AS DECIMAL(18, 2)) AS price, TRY_CAST(doc ->> 'revenue' AS DECIMAL(18, 2)) AS revenue,
           CASE WHEN json_type(doc, '$.timestamp') = 'VARCHAR' THEN TRY_CAST(doc ->> 'timestamp' AS TIMESTAMPTZ)
                ELSE to_timestamp(TRY_CAST(doc ->> 'timestamp' AS BIGINT) / 1000) END AS moment
    FROM documents
), reasons AS (
    SELECT *, CASE
        WHEN value IS NULL OR octet_length(value) = 0 THEN 'empty'
        WHEN octet_length(value) > 1000000 THEN 'too_large'
        WHEN text IS NULL THEN 'not_utf8'
        WHEN json IS NULL THEN 'not_json'
        WHEN doc IS NULL THEN 'not_an_object'
        WHEN kind NOT IN ('order', 'order_cancelled', 'order_returned', 'user_registered', 'user_updated') THEN 'unknown_type'
        WHEN time_type IS NULL THEN 'missing_field'
        WHEN kind LIKE 'user_%' AND user_type IS NULL THEN 'missing_field'
        WHEN kind LIKE 'order%' AND (order_id IS NULL OR product_type IS NULL OR quantity_type IS NULL) THEN 'missing_field'
        WHEN kind = 'order' AND (user_type IS NULL OR title IS NULL OR category IS NULL OR price_type IS NULL
                                 OR revenue_type IS NULL) THEN 'missing_field'
        WHEN kind LIKE 'order%' AND quantity_type NOT IN ('UBIGINT', 'BIGINT') THEN 'wrong_type'
        WHEN kind = 'order' AND (json_type(doc, '$.product_title') <> 'VARCHAR' OR json_type(doc, '$.category') <> 'VARCHAR')
            THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND quantity NOT BETWEEN 1 AND 10000 THEN 'out_of_range'
        WHEN user_type IS NOT NULL AND coalesce(user_id, 0) <= 0 THEN 'out_of_range'
        WHEN kind = 'order' AND (category = '' OR title = '') THEN 'out_of_range'
        WHEN contains(text, '\u0000') THEN 'nul_byte'
        WHEN kind = 'order' AND revenue IS DISTINCT FROM price * quantity THEN 'revenue_mismatch'
        WHEN moment IS NULL OR moment < TIMESTAMPTZ '2000-01-01 00:00:00Z' THEN 'bad_timestamp'
        WHEN kind = 'order' AND quantity = $refused_quantity THEN 'refused_by_database'
        END AS reason
    FROM fields
)
SELECT partition, "offset", value, own, reason, CASE WHEN reason IS NULL THEN kind END AS kind, order_id, user_id, product_id,
       category, quantity, price, revenue, moment
FROM reasons
