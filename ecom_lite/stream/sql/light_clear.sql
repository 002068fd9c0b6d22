-- Before all minutes are built anew, late events included: what Spark dropped as late does not count any more.
WITH forgotten AS (
    DELETE FROM realtime.stream_progress WHERE query <> 'light'
)
DELETE FROM realtime.minutes_by_currency
