-- How many rates are new, and how many were corrected; those that are as before are not touched.
WITH written AS (
    INSERT INTO warehouse.rates AS r (currency, reporting, day, rate)
    SELECT i.currency, %(reporting)s, i.day, i.rate FROM incoming_rates i
    ON CONFLICT (currency, reporting, day) DO UPDATE SET rate = excluded.rate, loaded_at = now() WHERE r.rate <> excluded.rate
    RETURNING r.currency, r.day, r.xmax = 0 AS is_new
), marked AS (
    UPDATE incoming_rates i SET changed = true FROM written w WHERE w.currency = i.currency AND w.day = i.day
)
SELECT count(*) FILTER (WHERE is_new), count(*) FILTER (WHERE NOT is_new) FROM written
