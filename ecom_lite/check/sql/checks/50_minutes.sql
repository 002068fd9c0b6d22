-- description: The minutes that are closed hold the facts of these minutes.
-- left: lines in closed minutes
-- right: facts
-- severity: error
-- Minutes that end at or before the watermark are closed: Spark will not change them any more. The watermark is one that the
-- loader has caught up with. Both bounds are needed: a late line that is a duplicate too is dropped without being missed, and a line that
-- comes again is counted once more only where Spark has forgotten it.
WITH closed AS (
    SELECT %(watermark)s::timestamptz AS until
), facts AS (
    -- All of them but those that came later, which are few: by time of the event and, without Spark, by the load order, for there the
    -- minutes are those of the facts below a cut, and what was loaded since comes with the next pass.
    SELECT f.lines - (SELECT count(*) FROM warehouse.fact_sales WHERE ordered_at >= date_trunc('minute', %(watermark)s::timestamptz, 'UTC'))
         - (SELECT count(*) FROM warehouse.fact_sales
            WHERE load_xid >= %(light_below)s::bigint AND ordered_at < date_trunc('minute', %(watermark)s::timestamptz, 'UTC')) AS lines
    FROM jsonb_to_recordset(%(facts)s::jsonb) AS f(run_id bigint, lines bigint) WHERE f.run_id IS NULL
), windows AS (
    SELECT coalesce(sum(lines), 0)::bigint AS lines FROM realtime.minutes_by_currency
    WHERE window_start + INTERVAL '1 minute' <= (SELECT until FROM closed)
), counted AS (
    SELECT closed.until, facts.lines AS facts, windows.lines AS windows,
           (SELECT coalesce(sum(late_rows), 0)::bigint FROM realtime.stream_progress) AS late,
           (SELECT coalesce(sum(lines), 0)::bigint FROM ops.repeated_lines WHERE window_start + INTERVAL '1 minute' <= closed.until) AS repeated
    FROM closed, facts, windows
)
SELECT CASE WHEN until IS NULL THEN 'closed minutes = facts' ELSE 'lines in closed minutes = facts' END AS line,
       CASE WHEN until IS NULL THEN '"no minute is closed yet"'::jsonb ELSE to_jsonb(windows) END AS "left",
       CASE WHEN until IS NULL THEN '""'::jsonb ELSE to_jsonb(facts) END AS "right",
       until IS NULL OR facts - windows BETWEEN -repeated AND late AS closes,
       CASE WHEN until IS NULL THEN 'the stream has seen no event'
            ELSE 'minutes up to ' || to_char(until, 'YYYY-MM-DD HH24:MI')
                 || CASE WHEN late > 0 THEN '; ' || to_char(late, 'FM999,999,999,990') || ' late lines were not counted' ELSE '' END
                 || CASE WHEN repeated > 0 THEN '; lines that came again with another time, which the minutes may count once more: '
                         || to_char(repeated, 'FM999,999,999,990') ELSE '' END END AS note,
       jsonb_build_object('window_lines', windows, 'late_rows', late) AS figures
FROM counted
