-- Kafka records -> order lines, by the rules of `events.parse`: `valid` says whether the loader makes a fact of the record.
-- What stands in braces comes from the table of fields. Built-in functions only, so that no row goes through Python.
-- A record that is written as nearly all are is `plain`: its texts tell all there is to know (stream/plain.py). In any other one VARIANT tells
-- strings from numbers and keeps decimals exact, at several times the cost.
WITH record AS (
    SELECT
        -- Not current_timestamp(): that is a constant of each micro-batch, for which Spark would compile all of this anew.
        CAST(reflect('java.lang.System', 'currentTimeMillis') AS BIGINT) AS now_ms,
        partition,
        offset,
        -- In a list, because the JSON reader would overlook whatever follows the first value.
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
        END AS document
    FROM kafka_records
),
text AS (
    SELECT
        now_ms, partition, offset, document,
        from_json(document, 'array<struct<{texts}>>', map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')) AS texts
    FROM record
),
plain AS (
    SELECT
        now_ms, partition, offset, document, t,
        coalesce(
            {joined} RLIKE :plain
            -- It must be a number, which its text does not tell.
            AND (
                t.schema_version IS NULL
                OR contains(document, concat('"schema_version":', t.schema_version))
                OR contains(document, concat('"schema_version": ', t.schema_version))
            ),
            false
        ) AS is_plain
    FROM (SELECT now_ms, partition, offset, document, CASE WHEN size(texts) = 1 THEN texts[0] END AS t FROM text)
),
other AS (
    SELECT
        now_ms, partition, offset, t, is_plain,
        from_json(
            CASE WHEN NOT is_plain AND coalesce(t.event_type, 'order') = 'order' THEN document END,
            'array<struct<{struct}>>', map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')
        ) AS events
    FROM plain
),
event AS (
    SELECT now_ms, partition, offset, t, is_plain, CASE WHEN size(events) = 1 THEN events[0] END AS e
    FROM other
),
-- One expression for all fields: Spark plans each micro-batch anew, and that takes the longer the more there is.
read AS (
    SELECT
        now_ms, partition, offset, t, is_plain, e,
        transform(
            transform(
                CASE
                    WHEN NOT is_plain
                    THEN array(
                        e.order_id, e.user_id, e.product_id, e.product_title, e.category, e.currency, e.price, e.list_price,
                        e.quantity, e.revenue, e.timestamp
                    )
                END,
                v -> struct(
                    v, coalesce(schema_of_variant(v), 'VOID') AS type, try_cast(v AS STRING) AS text,
                    -- A decimal out of a variant keeps all digits; a text must be one of digits.
                    CASE
                        WHEN schema_of_variant(v) NOT IN ('STRING', 'BOOLEAN') THEN try_cast(v AS DECIMAL(38, 18))
                        WHEN char_length(try_cast(v AS STRING)) <= 64 AND try_cast(v AS STRING) RLIKE r'^[0-9]+(\.[0-9]+)?(?![\s\S])'
                        THEN try_cast(try_cast(v AS STRING) AS DECIMAL(38, 18))
                    END AS amount,
                    -- A whole number may have zeros behind the point.
                    CASE
                        WHEN schema_of_variant(v) = 'BIGINT' THEN try_cast(v AS BIGINT)
                        WHEN schema_of_variant(v) NOT IN ('STRING', 'BOOLEAN')
                        THEN CASE
                            WHEN try_cast(v AS DECIMAL(38, 18)) = floor(try_cast(v AS DECIMAL(38, 18)))
                            THEN try_cast(try_cast(v AS DECIMAL(38, 18)) AS BIGINT)
                        END
                        WHEN try_cast(v AS STRING) RLIKE r'^[0-9]{1,19}(\.0+)?(?![\s\S])'
                        THEN try_cast(regexp_extract(try_cast(v AS STRING), '^[0-9]+', 0) AS BIGINT)
                    END AS whole
                )
            ),
            f -> struct(
                f.type, f.text, f.amount, f.whole,
                -- Digits in a text are a number, without leading zeros; any other text is the id itself.
                CASE
                    WHEN f.type <> 'STRING' THEN CAST(nullif(greatest(f.whole, 0), 0) AS STRING)
                    WHEN char_length(f.text) NOT BETWEEN 1 AND :max_id THEN NULL
                    WHEN contains(f.text, chr(0)) THEN NULL
                    WHEN f.text RLIKE r'^[0-9]+(?![\s\S])' THEN nullif(trim(LEADING '0' FROM f.text), '')
                    ELSE f.text
                END AS id
            )
        ) AS r
    FROM event
),
field AS (
    SELECT
        now_ms,
        partition,
        offset,
        is_plain,
        CASE WHEN is_plain THEN 'STRING' ELSE r[0].type END AS order_id_type,
        CASE WHEN is_plain THEN t.order_id ELSE r[0].text END AS order_id,
        r[0].whole AS order_number,
        CASE WHEN is_plain THEN t.user_id ELSE r[1].id END AS user_id,
        CASE WHEN is_plain THEN t.product_id ELSE r[2].id END AS product_id,
        CASE
            WHEN is_plain THEN coalesce(t.product_title, '')
            WHEN r[3].type = 'VOID' THEN ''
            WHEN r[3].type = 'STRING' THEN r[3].text
        END AS product_title,
        CASE WHEN is_plain OR r[4].type IN ('STRING', 'VOID') THEN coalesce(nullif(coalesce(t.category, r[4].text), ''), :uncategorised) END AS category,
        CASE
            WHEN is_plain THEN coalesce(upper(t.currency), :currency)
            WHEN r[5].type = 'VOID' OR (r[5].type = 'STRING' AND r[5].text = '') THEN :currency
            WHEN r[5].type = 'STRING' AND r[5].text RLIKE r'^[A-Za-z]{3}(?![\s\S])' THEN upper(r[5].text)
        END AS currency,
        CASE WHEN is_plain THEN try_cast(t.price AS DECIMAL(38, 18)) ELSE r[6].amount END AS price,
        CASE WHEN is_plain THEN try_cast(t.list_price AS DECIMAL(38, 18)) ELSE r[7].amount END AS list_price,
        CASE
            WHEN is_plain THEN t.list_price IS NULL
            ELSE r[7].type = 'VOID' OR (r[7].type = 'STRING' AND r[7].text = '')
        END AS list_price_is_absent,
        CASE WHEN is_plain THEN try_cast(t.quantity AS BIGINT) ELSE r[8].whole END AS quantity,
        CASE WHEN is_plain THEN try_cast(t.revenue AS DECIMAL(38, 18)) ELSE r[9].amount END AS revenue,
        CASE WHEN is_plain THEN t.revenue IS NULL ELSE r[9].type = 'VOID' END AS revenue_is_absent,
        CASE WHEN is_plain THEN 'STRING' ELSE r[10].type END AS time_type,
        CASE WHEN is_plain THEN t.timestamp ELSE r[10].text END AS time_text,
        coalesce(t.event_type, 'order') AS event_type,
        is_plain OR ({optional}) AS optional_fields_fit
    FROM read
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
        partition,
        offset,
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
        partition,
        offset,
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
SELECT order_id, product_id, category, quantity, revenue, currency, ordered_at, partition, offset, valid, ahead FROM judged
