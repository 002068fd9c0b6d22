-- What should be loaded, read as far as it can be read: as JSON (DuckDB takes NaN for some, and follows any depth), as an object.
CREATE TABLE documents AS
WITH kept AS (
    SELECT r.*
    FROM records r
    WHERE NOT EXISTS (FROM lost l WHERE l.partition = r.partition AND r."offset" >= l.start AND r."offset" < l."end")
), jsons AS (
    SELECT *, CASE WHEN octet_length(value) <= 1000000 AND json_valid(text) AND NOT contains(text, repeat('[', 1000))
                        AND NOT regexp_matches(text, '(?i):\s*-?(nan|infinity)[,}]') THEN text::JSON END AS json FROM kept
)
SELECT *, CASE WHEN json_type(json) = 'OBJECT' THEN json END AS doc, 1 AS line, NULL::VARCHAR AS said FROM jsons
