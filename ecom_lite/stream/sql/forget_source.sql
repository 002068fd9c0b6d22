-- Without Spark the minutes are the facts': whichever topic Spark reads next, it must begin anew.
UPDATE realtime.minutes_source SET topic = '' WHERE topic <> ''
