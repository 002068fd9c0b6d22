SELECT c.time_zone, EXISTS (SELECT FROM ops.mart_cuts)
FROM ops.calendar c
