-- From here on Spark writes the minutes: a later run without it must build them anew.
DELETE FROM realtime.light_progress
