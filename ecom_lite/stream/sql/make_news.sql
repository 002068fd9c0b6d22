-- What one micro-batch adds, gone with the transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS news (
    start_s bigint, category text, currency text, revenue numeric, orders bigint, lines bigint, units bigint
) ON COMMIT DELETE ROWS
