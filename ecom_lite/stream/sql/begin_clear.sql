WITH minutes AS (
    DELETE FROM realtime.minutes_by_currency
)
DELETE FROM realtime.minutes_before
