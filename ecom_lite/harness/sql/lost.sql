-- The offsets that were removed before they were loaded: [start, end).
CREATE TABLE lost AS
SELECT unnest(from_json($rows::JSON, '[{"partition": "INTEGER", "start": "BIGINT", "end": "BIGINT"}]'), recursive := true)
