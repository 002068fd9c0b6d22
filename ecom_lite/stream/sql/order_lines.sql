-- Kafka records -> order lines, by the rules of `events.parse`: `valid` says whether the loader makes a fact of the record.
-- What stands in braces comes from the table of fields. Built-in functions only, so that no row goes through Python. VARIANT tells strings from numbers and keeps decimals exact.
WITH document AS (
    SELECT
        -- Not current_timestamp(): that is a constant of each micro-batch, for which Spark would compile all of this anew.
        CAST(reflect('java.lang.System', 'currentTimeMillis') AS BIGINT) AS now_ms,
        -- In a list, because the JSON reader would overlook whatever follows the first value.
        from_json(
            CASE
                WHEN octet_length(value) <= :max_bytes AND is_valid_utf8(CAST(value AS STRING))
                    -- No half of a surrogate pair, anywhere: escaped backslashes and whole pairs are taken out first.
                    AND (
                        NOT contains(lower(CAST(value AS STRING)), r'\ud')
                        OR NOT regexp_replace(
                            CAST(value AS STRING), r'\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}', ' '
                        ) RLIKE r'\\u[dD][89a-fA-F]'
                    )
                THEN concat('[', CAST(value AS STRING), ']')
            END,
            'array<struct<{struct}>>',
            map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')
        ) AS events
    FROM kafka_records
),
event AS (
    SELECT now_ms, CASE WHEN size(events) = 1 THEN events[0] END AS e
    FROM document
),
field AS (
    SELECT
        now_ms,
        schema_of_variant(e.order_id) AS order_id_type,
        try_cast(e.order_id AS STRING) AS order_id,
        {id:user_id} AS user_id,
        {id:product_id} AS product_id,
        {whole:order_id} AS order_number,
        CASE
            WHEN coalesce(schema_of_variant(e.product_title), 'VOID') = 'VOID' THEN ''
            WHEN schema_of_variant(e.product_title) = 'STRING' THEN try_cast(e.product_title AS STRING)
        END AS product_title,
        CASE
            WHEN coalesce(schema_of_variant(e.category), 'VOID') = 'VOID' THEN :uncategorised
            WHEN schema_of_variant(e.category) = 'STRING' THEN coalesce(nullif(try_cast(e.category AS STRING), ''), :uncategorised)
        END AS category,
        CASE
            WHEN coalesce(schema_of_variant(e.currency), 'VOID') = 'VOID' THEN :currency
            WHEN schema_of_variant(e.currency) = 'STRING' AND try_cast(e.currency AS STRING) = '' THEN :currency
            WHEN schema_of_variant(e.currency) = 'STRING' AND try_cast(e.currency AS STRING) RLIKE r'^[A-Za-z]{3}(?![\s\S])'
            THEN upper(try_cast(e.currency AS STRING))
        END AS currency,
        {amount:price} AS price,
        {amount:list_price} AS list_price,
        coalesce(schema_of_variant(e.list_price), 'VOID') = 'VOID'
            OR (schema_of_variant(e.list_price) = 'STRING' AND try_cast(e.list_price AS STRING) = '') AS list_price_is_absent,
        {whole:quantity} AS quantity,
        {amount:revenue} AS revenue,
        coalesce(schema_of_variant(e.revenue), 'VOID') = 'VOID' AS revenue_is_absent,
        schema_of_variant(e.timestamp) AS time_type,
        try_cast(e.timestamp AS STRING) AS time_text,
        coalesce(e.event_type, 'order') AS event_type,
        {optional} AS optional_fields_fit
    FROM event
),
epoch AS (
    SELECT
        *,
        -- As written: 13 digits and 12 behind the point are exact, the rest is cut off. Eight digits are the date yyyymmdd.
        CASE
            WHEN time_type IN ('BIGINT', 'STRING') OR time_type LIKE 'DECIMAL%' THEN
                CASE
                    WHEN time_text RLIKE r'^[0-9]+(\.[0-9]+)?(?![\s\S])'
                        AND NOT (time_type = 'STRING' AND time_text RLIKE r'^[0-9]{8}(?![\s\S])')
                    THEN try_cast(regexp_extract(time_text, r'^[0-9]+(\.[0-9]{1,12})?', 0) AS DECIMAL(25, 12))
                END
            WHEN time_type = 'DOUBLE' THEN try_cast(time_text AS DECIMAL(25, 12))
        END AS epoch
    FROM field
),
typed AS (
    SELECT
        now_ms,
        order_id_type,
        order_id,
        order_number,
        user_id,
        product_id,
        product_title,
        category,
        currency,
        CASE {smallest_unit} END AS smallest_unit,  -- null: no currency
        price,
        try_cast(price AS DECIMAL(12, 4)) AS exact_price,
        try_cast(price AS {price}) AS unit_price,
        list_price,
        list_price_is_absent,
        quantity,
        revenue,
        revenue_is_absent,
        event_type = 'order' AND optional_fields_fit AS is_order,
        CASE
            WHEN epoch >= 0 THEN
                -- Seconds, or from there on milliseconds; the cast cuts off what is finer than a microsecond.
                timestamp_micros(CAST(epoch * CASE WHEN epoch < :milliseconds_from THEN 1000000BD ELSE 1000BD END AS BIGINT))
            WHEN time_type = 'STRING' THEN
                CASE
                    -- The usual spelling, first and fast.
                    WHEN time_text RLIKE r'^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?(?![\s\S])'
                    THEN try_cast(time_text AS TIMESTAMP)
                    -- The other ISO 8601 spellings of a calendar date: basic format, hours only, comma, short offset.
                    WHEN time_text RLIKE :iso_time
                    THEN try_cast(concat(
                        regexp_extract(time_text, :iso_time, 1), '-',
                        regexp_extract(time_text, :iso_time, 3), '-',
                        regexp_extract(time_text, :iso_time, 4), 'T',
                        lpad(regexp_extract(time_text, :iso_time, 5), 2, '0'), ':',
                        lpad(regexp_extract(time_text, :iso_time, 7), 2, '0'), ':',
                        lpad(regexp_extract(time_text, :iso_time, 8), 2, '0'), '.',
                        rpad(regexp_extract(time_text, :iso_time, 9), 6, '0'),
                        coalesce(nullif(regexp_extract(time_text, :iso_time, 10), ''), 'Z'),
                        CASE
                            WHEN regexp_extract(time_text, :iso_time, 10) IN ('', 'Z') THEN ''
                            ELSE concat(':', lpad(regexp_extract(time_text, :iso_time, 11), 2, '0'))
                        END
                    ) AS TIMESTAMP)
                END
        END AS ordered_at
    FROM epoch
),
judged AS (
    SELECT
        CASE WHEN order_id_type = 'STRING' THEN order_id ELSE CAST(order_number AS STRING) END AS order_id,
        product_id,
        category,
        quantity,
        currency,
        try_cast(exact_price * quantity AS DECIMAL(18, 4)) AS revenue,
        ordered_at,
        coalesce(
            is_order
            AND CASE
                WHEN order_id_type = 'STRING' THEN char_length(order_id) BETWEEN 1 AND :max_id AND NOT contains(order_id, chr(0))
                ELSE order_number >= 0
            END
            AND user_id IS NOT NULL
            AND product_id IS NOT NULL
            AND char_length(product_title) <= :max_text AND NOT contains(product_title, chr(0))
            AND char_length(category) BETWEEN 1 AND :max_text AND NOT contains(category, chr(0))
            AND price >= 0 AND price = exact_price AND exact_price % smallest_unit = 0 AND unit_price IS NOT NULL
            AND (
                list_price_is_absent
                OR (
                    list_price >= 0 AND list_price = try_cast(list_price AS DECIMAL(12, 4)) AND list_price % smallest_unit = 0
                    AND try_cast(list_price AS {price}) IS NOT NULL
                )
            )
            AND quantity BETWEEN 1 AND :max_quantity
            AND (revenue_is_absent OR abs(revenue - try_cast(exact_price * quantity AS DECIMAL(18, 4))) < least(smallest_unit / 2, 0.005BD))
            AND ordered_at >= CAST(:earliest AS TIMESTAMP)
            AND unix_millis(ordered_at) <= now_ms + :latest_ahead_ms,
            false
        ) AS valid,
        -- A clock that runs ahead must not drag the watermark past everybody else's events.
        coalesce(unix_millis(ordered_at) > now_ms + :ahead_ms, false) AS ahead
    FROM typed
)
SELECT order_id, product_id, category, quantity, revenue, currency, ordered_at, valid, ahead FROM judged
