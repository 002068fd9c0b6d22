-- Foreign records under other names, their money in smallest units: as the contract would have them. Null is absent.
CREATE OR REPLACE TABLE documents AS
WITH coded AS (
    SELECT *, upper(coalesce(nullif(doc ->> 'currency', ''), 'USD')) AS code FROM documents
), mapped AS (
    SELECT * EXCLUDE (doc, text), CASE WHEN own OR doc IS NULL THEN doc ELSE json_merge_patch('{}', json_object(
        'order_id', doc -> '$.orderNo', 'user_id', doc -> '$.customerId', 'product_id', doc -> '$.sku', 'product_title', doc -> '$.title',
        'category', doc -> '$.category', 'price', whole_units(doc -> '$.unitPrice', code), 'list_price', whole_units(doc -> '$.listPrice', code), 'quantity', doc -> '$.quantity',
        'revenue', whole_units(doc -> '$.total', code), 'timestamp', doc -> '$.createdAt', 'currency', doc -> '$.currency',
        'event_type', doc -> '$.event_type', 'event_id', doc -> '$.event_id', 'schema_version', doc -> '$.schema_version',
        'reason', doc -> '$.reason', 'name', doc -> '$.name', 'email', doc -> '$.email', 'city', doc -> '$.city', 'country', doc -> '$.country'
    )) END AS doc, text AS written
    FROM coded
)
SELECT * EXCLUDE (written, code), CASE WHEN own OR doc IS NULL THEN written ELSE doc::VARCHAR END AS text FROM mapped
