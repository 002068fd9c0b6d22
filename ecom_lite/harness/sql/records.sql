-- The topic, raw; the text is null where the bytes are none.
CREATE TABLE records AS
WITH rows AS (
    SELECT unnest(from_json($rows::JSON, '[{"partition": "INTEGER", "offset": "BIGINT", "hex": "VARCHAR", "text": "VARCHAR", "own": "BOOLEAN"}]'),
                  recursive := true)
)
SELECT partition, "offset", unhex(hex) AS value, text, own FROM rows
