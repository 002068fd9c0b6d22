-- Foreign records that are whole orders: one row for each line, as the contract would have it. Null is absent.
CREATE OR REPLACE TABLE documents AS
WITH heads AS (
    SELECT *, coalesce(present(doc -> '$.customer.id'), present(doc -> '$.guest')) AS who,
           own OR doc IS NULL AS plain,
           coalesce(doc ->> 'event_type', 'order') IN ('user_registered', 'user_updated') AS profile,
           CASE WHEN json_type(doc, '$.items') = 'ARRAY' THEN (doc -> '$.items')::JSON[] ELSE []::JSON[] END AS items
    FROM documents
), numbered AS (
    SELECT * EXCLUDE (line, items), unnest(range(1, CASE WHEN plain OR profile THEN 2 ELSE greatest(len(items), 1) + 1 END))::INTEGER AS line,
           len(items) AS lines, items
    FROM heads
), rows AS (
    SELECT *, items[line] AS item FROM numbered
), mapped AS (
    SELECT * EXCLUDE (doc, text, said),
        CASE
            WHEN plain THEN doc
            WHEN profile THEN json_merge_patch('{}', json_object(
                'event_type', doc -> '$.event_type', 'user_id', who, 'timestamp', doc -> '$.created_at', 'name', doc -> '$.name',
                'email', doc -> '$.email', 'city', doc -> '$.city', 'country', doc -> '$.country',
                'event_id', doc -> '$.event_id', 'schema_version', doc -> '$.schema_version'))
            ELSE json_merge_patch('{}', json_object(
                'order_id', doc -> '$.id', 'user_id', who, 'timestamp', doc -> '$.created_at', 'product_id', item -> '$.sku',
                'product_title', item -> '$.name', 'category', item -> '$.group', 'price', item -> '$.unit_price', 'list_price', item -> '$.was', 'quantity', item -> '$.qty',
                'revenue', item -> '$.revenue', 'reason', item -> '$.reason',
                'currency', coalesce(present(item -> '$.currency'), doc -> '$.currency'),
                'event_type', coalesce(present(item -> '$.event_type'), doc -> '$.event_type'),
                'event_id', coalesce(present(item -> '$.event_id'), doc -> '$.event_id'),
                'schema_version', coalesce(present(item -> '$.schema_version'), doc -> '$.schema_version')))
        END AS doc,
        CASE
            WHEN plain OR profile THEN NULL
            WHEN lines = 0 THEN 'missing_field'
            WHEN json_type(item) <> 'OBJECT' THEN 'wrong_type'
        END AS said,
        text AS written
    FROM rows
)
SELECT * EXCLUDE (written, item, items, lines, who, profile, plain), CASE WHEN plain THEN written ELSE doc::VARCHAR END AS text FROM mapped
