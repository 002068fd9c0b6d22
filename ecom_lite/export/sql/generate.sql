-- JSON lines of all event types -> one table; a column that a type does not have is null. In the order of the lines.
SELECT * FROM read_json($lines, format = 'newline_delimited', columns = $columns)
