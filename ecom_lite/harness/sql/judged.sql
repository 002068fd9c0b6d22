-- The contract on the topic, once more: what each record is, and why it is nothing. Written by hand, from docs/schemas.
CREATE TABLE judged AS
WITH fields AS (
    SELECT *, coalesce(doc ->> 'event_type', 'order') AS kind,
           json_type(doc, '$.order_id') AS order_type, json_type(doc, '$.user_id') AS user_type,
           json_type(doc, '$.product_id') AS product_type, json_type(doc, '$.product_title') AS title_type,
           json_type(doc, '$.category') AS category_type, json_type(doc, '$.price') AS price_type,
           json_type(doc, '$.quantity') AS quantity_type, json_type(doc, '$.revenue') AS revenue_type,
           json_type(doc, '$.timestamp') AS time_type, json_type(doc, '$.reason') AS reason_type,
           doc ->> 'order_id' AS order_text, doc ->> 'user_id' AS user_text, doc ->> 'product_id' AS product_text,
           doc ->> 'product_title' AS title_text, coalesce(nullif(doc ->> 'category', ''), 'Uncategorised') AS category, doc ->> 'quantity' AS quantity_text,
           [doc ->> name FOR name IN ['reason', 'name', 'email', 'city', 'country']] AS other_texts,
           list_distinct([json_type(doc, '$.' || name) FOR name IN ['event_id', 'name', 'email', 'city', 'country']]) AS other_types,
           json_type(doc, '$.list_price') AS list_type, doc ->> 'list_price' AS list_text, TRY_CAST(doc ->> 'list_price' AS DECIMAL(38, 18)) AS exact_list,
           json_type(doc, '$.currency') AS currency_type, upper(coalesce(nullif(doc ->> 'currency', ''), 'USD')) AS currency,
           json_type(doc, '$.schema_version') AS version_type, doc ->> 'schema_version' AS version_text,
           TRY_CAST(doc ->> 'price' AS DECIMAL(38, 18)) AS exact_price, TRY_CAST(doc ->> 'revenue' AS DECIMAL(38, 18)) AS exact_revenue,
           -- A fraction as it was written: DuckDB's own reading of it is a float.
           CASE json_type(doc, '$.timestamp')
               WHEN 'DOUBLE' THEN regexp_extract_all(text, '"timestamp"\s*:\s*([-+.0-9eE]+)', 1)[-1]
               ELSE doc ->> 'timestamp'
           END AS time_text
    FROM documents
), numbers AS (
    SELECT * EXCLUDE (exact_price, exact_list),
           coalesce(list_type, 'NULL') = 'NULL' OR (list_type = 'VARCHAR' AND list_text = '') AS unlisted,
           CASE WHEN exact_list >= 0 AND TRY_CAST(exact_list AS DECIMAL(10, 2)) IS NOT NULL AND exact_list = TRY_CAST(exact_list AS DECIMAL(12, 4))
                     AND (exact_list * 10000)::BIGINT % 10 ** (4 - decimals(currency)) = 0
                THEN exact_list::DECIMAL(12, 4) END AS list_price,
           id(user_type, user_text) AS user_id, id(product_type, product_text) AS product_id,
           coalesce(nullif(title_text, ''), id(product_type, product_text)) AS title,
           CASE WHEN order_type = 'VARCHAR' THEN order_text ELSE whole_number(order_type, order_text)::VARCHAR END AS order_id,
           whole_number(quantity_type, quantity_text) AS quantity,
           CASE WHEN exact_price >= 0 AND TRY_CAST(exact_price AS DECIMAL(10, 2)) IS NOT NULL AND exact_price = TRY_CAST(exact_price AS DECIMAL(12, 4))
                     AND (exact_price * 10000)::BIGINT % 10 ** (4 - decimals(currency)) = 0
                THEN exact_price::DECIMAL(12, 4) END AS price,
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
        WHEN said IS NOT NULL THEN said
        WHEN kind NOT IN ('order', 'order_cancelled', 'order_returned', 'user_registered', 'user_updated') THEN 'unknown_type'
        WHEN time_type IS NULL THEN 'missing_field'
        WHEN kind LIKE 'user_%' AND user_type IS NULL THEN 'missing_field'
        WHEN kind LIKE 'order%' AND (order_type IS NULL OR product_type IS NULL OR quantity_type IS NULL) THEN 'missing_field'
        WHEN kind = 'order' AND (user_type IS NULL OR price_type IS NULL) THEN 'missing_field'

        WHEN time_type NOT IN ('VARCHAR', 'UBIGINT', 'BIGINT', 'DOUBLE') THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND order_type <> 'VARCHAR' AND NOT is_whole(order_type, coalesce(order_text, ''))
            THEN 'wrong_type'
        WHEN user_type <> 'VARCHAR' AND NOT is_whole(user_type, coalesce(user_text, ''))
             AND NOT (user_type = 'NULL' AND kind IN ('order_cancelled', 'order_returned')) THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND product_type <> 'VARCHAR' AND NOT is_whole(product_type, coalesce(product_text, ''))
            THEN 'wrong_type'
        WHEN kind LIKE 'order%' AND NOT is_whole(quantity_type, coalesce(quantity_text, '')) THEN 'wrong_type'
        WHEN kind = 'order' AND (title_type NOT IN ('VARCHAR', 'NULL') OR category_type NOT IN ('VARCHAR', 'NULL')) THEN 'wrong_type'
        WHEN kind IN ('order_cancelled', 'order_returned') AND reason_type <> 'VARCHAR' THEN 'wrong_type'
        WHEN version_type <> 'NULL' AND (version_type = 'VARCHAR' OR NOT regexp_full_match(version_text, '-?[0-9]+')) THEN 'wrong_type'
        WHEN kind = 'order' AND currency_type NOT IN ('VARCHAR', 'NULL') THEN 'wrong_type'
        WHEN json_type(doc, '$.event_id') NOT IN ('VARCHAR', 'NULL') THEN 'wrong_type'
        WHEN kind LIKE 'user_%' AND NOT list_has_all(['VARCHAR', 'NULL'], other_types) THEN 'wrong_type'

        WHEN kind LIKE 'order%' AND order_type = 'VARCHAR' AND length(order_text) NOT BETWEEN 1 AND 64 THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND order_type <> 'VARCHAR' AND coalesce(whole_number(order_type, order_text), -1) < 0 THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND coalesce(quantity, 0) NOT BETWEEN 1 AND 10000 THEN 'out_of_range'
        WHEN user_type <> 'NULL' AND user_id IS NULL THEN 'out_of_range'
        WHEN kind LIKE 'order%' AND product_id IS NULL THEN 'out_of_range'
        WHEN kind = 'order' AND (length(title_text) > 200 OR length(category) > 200) THEN 'out_of_range'
        WHEN kind <> 'order' AND list_max([length(other) FOR other IN other_texts]) > 200 THEN 'out_of_range'

        WHEN contains(concat(user_text, CASE WHEN kind LIKE 'order%' THEN concat(order_text, product_text) END,
                             CASE WHEN kind = 'order' THEN concat(title_text, category, doc ->> 'currency') END), chr(0)) THEN 'nul_byte'
        WHEN kind <> 'order' AND contains(concat(doc ->> 'event_id', list_aggregate(other_texts, 'string_agg', '')), chr(0)) THEN 'nul_byte'

        WHEN kind = 'order' AND decimals(currency) IS NULL THEN 'unknown_currency'
        WHEN kind = 'order' AND NOT (is_money(price_type, doc ->> 'price')
                                     AND (coalesce(revenue_type, 'NULL') = 'NULL' OR is_money(revenue_type, doc ->> 'revenue')))
            THEN 'wrong_type'
        WHEN kind = 'order' AND price IS NULL THEN 'out_of_range'
        WHEN kind = 'order' AND coalesce(revenue_type, 'NULL') <> 'NULL' AND coalesce(abs(exact_revenue - price * quantity) >= least(0.005, 0.5 / 10 ** decimals(currency)), true) THEN 'revenue_mismatch'
        WHEN kind = 'order' AND NOT unlisted AND NOT is_money(list_type, list_text) THEN 'wrong_type'
        WHEN kind = 'order' AND NOT unlisted AND list_price IS NULL THEN 'out_of_range'
        WHEN moment IS NULL OR moment < TIMESTAMPTZ '2000-01-01 00:00:00Z' OR moment > now() + INTERVAL 1 DAY THEN 'bad_timestamp'
        WHEN kind = 'order' AND quantity = $refused_quantity THEN 'refused_by_database'
        END AS reason
    FROM moments
)
SELECT partition, "offset", value, own, reason, CASE WHEN reason IS NULL THEN kind END AS kind, order_id, user_id, product_id,
       coalesce(nullif(doc ->> 'event_id', ''), moment::VARCHAR) AS mark,
       title, category, currency, quantity, price, list_price, CASE WHEN reason IS NULL AND kind = 'order' THEN (price * quantity)::DECIMAL(18, 4) END AS revenue, moment, line
FROM reasons
