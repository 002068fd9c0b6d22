-- The topic as it is: each record's place and its JSON, and what the contract says of its fields. Money in cents.
CREATE TABLE records AS
WITH raw AS (
    SELECT unnest(from_json($rows::JSON, '[{"partition": "INTEGER", "offset": "BIGINT", "text": "VARCHAR"}]'), recursive := true)
), written AS (
    SELECT partition, "offset", text::JSON AS event FROM raw
)
SELECT
    partition,
    "offset",
    coalesce(event ->> 'event_type', 'order') AS kind,
    event ->> 'order_id' AS order_id,
    event ->> 'user_id' AS user_id,
    event ->> 'product_id' AS product_id,
    event ->> 'product_title' AS title,
    event ->> 'category' AS category,
    (event ->> 'quantity')::BIGINT AS quantity,
    ((event ->> 'price')::DECIMAL(18, 2) * 100)::BIGINT AS price,
    ((event ->> 'list_price')::DECIMAL(18, 2) * 100)::BIGINT AS list_price,
    coalesce(event ->> 'reason', '') AS reason,
    coalesce(event ->> 'event_id', event ->> 'timestamp') AS mark,
    event ->> 'name' AS name,
    event ->> 'city' AS city,
    event ->> 'country' AS country,
    event ->> 'channel' AS channel,
    coalesce(event ->> 'currency', 'USD') AS currency,
    (event ->> 'timestamp')::TIMESTAMPTZ AS moment
FROM written
