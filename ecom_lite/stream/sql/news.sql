-- What a micro-batch adds to the minutes. Each touched row is a second of event time, a category and a currency, with all lines known of it:
-- those that came with this batch and were not known before are new. The first of a repeated line counts, as in the facts.
-- All that is aggregated by line or order has a fixed width: Spark need not sort.
WITH line AS (
    SELECT window_start, second, category, currency, explode(lines) AS l
    FROM touched
),
placed AS (
    SELECT window_start, second, category, currency, l.*,
           l.offset >= coalesce(try_element_at(:starts, l.partition + 1), 0) AS came
    FROM line
),
ranked AS (
    SELECT *, offset + CASE WHEN came THEN 1152921504606846976 ELSE 0 END AS rank FROM placed
),
first AS (
    SELECT window_start, second, category, currency, line, min(rank) >= 1152921504606846976 AS is_new, count_if(came) AS arrived,
           min_by(order, rank) AS order, min_by(revenue, rank) AS revenue, min_by(quantity, rank) AS quantity
    FROM ranked
    GROUP BY window_start, second, category, currency, line
),
of_order AS (
    SELECT window_start, second, category, currency, order, sum(arrived) AS arrived, count_if(is_new) AS lines, count(*) AS known,
           sum(CASE WHEN is_new THEN revenue END) AS revenue, sum(CASE WHEN is_new THEN quantity END) AS units
    FROM first
    GROUP BY window_start, second, category, currency, order
)
SELECT unix_seconds(window_start) AS window_start, category, currency, coalesce(sum(revenue), 0) AS revenue,
       count_if(lines = known) AS orders, sum(lines) AS lines, coalesce(sum(units), 0) AS units, sum(arrived) AS arrived,
       concat('{', array_join(collect_list(CASE WHEN lines = known THEN order END), ','), '}') AS ids
FROM of_order
GROUP BY window_start, category, currency
