-- The contract on the topic, once more: what each record is, and why it is nothing. Written by hand, from docs/schemas.
CREATE TABLE judged AS
WITH fields AS (
    SELECT *, coalesce(doc ->> 'event_type', 'order') AS kind,
           json_type(doc, '$.order_id') AS order_type, json_type(doc, '$.user_id') AS user_type,
           json_type(doc, '$.product_id') AS product_type, json_type(doc, '$.product_title') AS title_type,
           json_type(doc, '$.category') AS category_type, json_type(doc, '$.price') AS price_type,
           json_type(doc, '$.quantity') AS quantity_type, json_type(doc, '$.revenue') AS revenue_type,
           json_type(doc, '$.timestamp') AS time_type, json_type(doc, '$.reason') AS reason_type,
           doc ->> 'order_id' AS order_id, doc ->> 'user_id' AS user_text, doc ->> 'product_id' AS product_text,
           doc ->> 'product_title' AS title, doc ->> 'category' AS category, doc ->> 'quantity' AS quantity_text,
           [doc ->> name FOR name IN ['reason', 'name', 'email', 'city', 'country']] AS other_texts,
           list_distinct([json_type(doc, '$.' || name) FOR name IN ['event_id', 'name', 'email', 'city', 'country']]) AS other_types,
           json_type(doc, '$.schema_version') AS version_type, doc ->> 'schema_version' AS version_text,
           TRY_CAST(doc ->> 'price' AS DECIMAL(38, 18)) AS exact_price, TRY_CAST(doc ->> 'revenue' AS DECIMAL(38, 18)) AS exact_revenue,
           -- A fraction as it was written: DuckDB's own reading of it is a float.
           CASE json_type(doc, '$.timestamp')
               WHEN 'DOUBLE' THEN regexp_extract_all(text, '"timestamp"\s*:\s*([-+.0-9eE]+)', 1)[-1]
               ELSE doc ->> 'timestamp'
           END AS time_text
    FROM documents
), numbers AS (
    SELECT * EXCLUDE (exact_price),
           CASE WHEN regexp_full_match(user_text, '[0-9]{1,19}') THEN TRY_CAST(user_text AS BIGINT) END AS user_id,
           CASE WHEN regexp_full_match(product_text, '[0-9]{1,19}') THEN TRY_CAST(product_text AS BIGINT) END AS product_id,
           TRY_CAST(quantity_text AS BIGINT) AS quantity,
           CASE WHEN exact_price >= 0 AND exact_price < 100000000 AND exact_price = TRY_CAST(exact_price AS DECIMAL(18, 2))
                THEN exact_price::DECIMAL(18, 2) END AS price,
           CASE
               WHEN time_type = 'VARCHAR' AND regexp_full_match(time_text, '[0-9]{8}') THEN NULL  -- yyyymmdd
               WHEN regexp_full_match(time_text, '[0-9]+(\.[0-9]+)?')
                   THEN TRY_CAST(regexp_extract(time_text, '[0-9]+(\.[0-9]{1,9})?') AS DECIMAL(22, 9))
               WHEN time_type = 'DOUBLE' THEN TRY_CAST(TRY_CAST(time_text AS DECIMAL(38, 9)) AS DECIMAL(22, 9))  -- with an exponent
           END AS since_1970
    FROM fields
), moments AS (
    -- Seconds, or milliseconds from 10^11 on; what is less than a microsecond is dropped.
    SELECT *, CASE
        WHEN since_1970 < 100000000000 THEN to_microseconds(floor(since_1970 * 1000000)::BIGINT) + TIMESTAMPTZ '1970-01-01 00:00:00Z'
        WHEN since_1970 IS NOT NULL THEN to_microseconds(floor(since_1970 * 1000)::BIGINT) + TIMESTAMPTZ '1970-01-01 00:00:00Z'
        WHEN time_type = 'VARCHAR'
             AND regexp_full_match(time_text, '\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?([-+](0\d|1\d|2[0-3])(:?\d\d)?|Z)?)?')
            THEN TRY_CAST(time_text AS TIMESTAMPTZ)
        END AS moment
    FROM numbers
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
        WHEN kind LIKE 'order%' AND (order_type IS NULL OR product_type IS NULL OR quantity_type IS NULL) THEN 'missing_field'
        WHEN kind = 'order' AND (user_type IS NULL OR title_type IS NULL OR category_type IS NULL OR price_type IS NULL
                                 OR revenue_type IS NULL) THEN 'missing_field'

        WHEN time_type NOT IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'DOUBLE') THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND order_type <> 'VARCHAR' AND NOT regexp_full_match(coalesce(order_id, ''), '-?[0-9]+')
            THEN 'wrong_type'
        WHEN user_type <> 'VARCHAR' AND NOT regexp_full_match(coalesce(user_text, ''), '-?[0-9]+')
             AND NOT (user_type = 'NULL' AND kind IN ('order_cancelled', 'order_returned')) THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND product_type <> 'VARCHAR' AND NOT regexp_full_match(coalesce(product_text, ''), '-?[0-9]+')
            THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND (quantity_type = 'VARCHAR' OR NOT regexp_full_match(coalesce(quantity_text, ''), '-?[0-9]+'))
            THEN 'wrong_type'
        WHEN kind = 'order' AND (title_type <> 'VARCHAR' OR category_type <> 'VARCHAR') THEN 'wrong_type'
        WHEN kind IN ('order_cancelled', 'order_returned') AND reason_type <> 'VARCHAR' THEN 'wrong_type'
        WHEN version_type <> 'NULL' AND (version_type = 'VARCHAR' OR NOT regexp_full_match(version_text, '-?[0-9]+')) THEN 'wrong_type'
        WHEN json_type(doc, '$.event_id') NOT IN ('VARCHAR', 'NULL') THEN 'wrong_type'
        WHEN kind LIKE 'user_%' AND NOT list_has_all(['VARCHAR', 'NULL'], other_types) THEN 'wrong_type'

        WHEN kind LIKE 'order%' AND order_type = 'VARCHAR' AND length(order_id) NOT BETWEEN 1 AND 64 THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND order_type <> 'VARCHAR' AND coalesce(TRY_CAST(order_id AS BIGINT), -1) < 0 THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND coalesce(quantity, 0) NOT BETWEEN 1 AND 10000 THEN 'out_of_range'
        WHEN user_type <> 'NULL' AND coalesce(user_id, 0) <= 0 THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND coalesce(product_id, 0) <= 0 THEN 'out_of_range'
        WHEN kind = 'order' AND (length(title) NOT BETWEEN 1 AND 200 OR length(category) NOT BETWEEN 1 AND 200) THEN 'out_of_range'
        WHEN kind <> 'order' AND list_max([length(other) FOR other IN other_texts]) > 200 THEN 'out_of_range'

        WHEN contains(concat(order_id, title, category), chr(0)) THEN 'nul_byte'
        WHEN kind <> 'order' AND contains(concat(doc ->> 'event_id', list_aggregate(other_texts, 'string_agg', '')), chr(0)) THEN 'nul_byte'

        WHEN kind = 'order' AND (price_type NOT IN ('UBIGINT', 'BIGINT', 'DOUBLE') OR revenue_type NOT IN ('UBIGINT', 'BIGINT', 'DOUBLE'))
            THEN 'wrong_type'
        WHEN kind = 'order' AND price IS NULL THEN 'out_of_range'
        WHEN kind = 'order' AND coalesce(abs(exact_revenue - price * quantity) >= 0.005, true) THEN 'revenue_mismatch'
        WHEN moment IS NULL OR moment < TIMESTAMPTZ '2000-01-01 00:00:00Z' OR moment > now() + INTERVAL 1 DAY THEN 'bad_timestamp'
        WHEN kind = 'order' AND quantity = $refused_quantity THEN 'refused_by_database'
        END AS reason
    FROM moments
)
SELECT partition, "offset", value, own, reason, CASE WHEN reason IS NULL THEN kind END AS kind, order_id, user_id, product_id,
       category, quantity, price, CASE WHEN reason IS NULL AND kind = 'order' THEN (price * quantity)::DECIMAL(18, 2) END AS revenue, moment
FROM reasons
