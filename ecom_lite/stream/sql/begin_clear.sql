WITH minutes AS (
    DELETE FROM realtime.sales_per_minute
)
DELETE FROM realtime.minutes_before
