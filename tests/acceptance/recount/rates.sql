-- What one unit of a currency is worth from a day on, in millionths.
CREATE TABLE rates AS
SELECT day, currency, (rate::DECIMAL(18, 6) * 1000000)::BIGINT AS rate
FROM read_csv($file, header := false, columns := {'day': 'DATE', 'currency': 'VARCHAR', 'rate': 'VARCHAR'})
