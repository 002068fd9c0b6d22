-- Where the account of each partition begins and ends.
CREATE TABLE partitions AS
SELECT unnest(from_json($rows::JSON, '[{"partition": "INTEGER", "first": "BIGINT", "end": "BIGINT"}]'), recursive := true)
