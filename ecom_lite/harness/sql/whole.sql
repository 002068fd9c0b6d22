-- All lines of a record, or none: one bad line makes the whole record a dead letter. Lines of one product at one price are one.
CREATE OR REPLACE TABLE judged AS
WITH twins AS (
    SELECT *, coalesce(min(price) OVER same <> max(price) OVER same OR min(currency) OVER same <> max(currency) OVER same, false)
              OR coalesce(min(list_price) OVER same <> max(list_price) OVER same, false) OR count(list_price) OVER same NOT IN (0, count(*) OVER same)
              OR coalesce(sum(quantity) OVER same, 0) > 10000 AS apart
    FROM judged
    WINDOW same AS (PARTITION BY partition, "offset", product_id)
), records AS (
    SELECT * EXCLUDE (reason), coalesce(
        arg_min(reason, line) FILTER (WHERE reason <> 'refused_by_database') OVER whole,
        CASE WHEN bool_or(apart) OVER whole THEN 'out_of_range' END,
        max(reason) OVER whole) AS reason
    FROM twins
    WINDOW whole AS (PARTITION BY partition, "offset")
)
SELECT partition, "offset", first(value ORDER BY line) AS value, first(own ORDER BY line) AS own, reason,
       CASE WHEN reason IS NULL THEN first(kind ORDER BY line) END AS kind, first(order_id ORDER BY line) AS order_id,
       first(user_id ORDER BY line) AS user_id, first(mark ORDER BY line) AS mark, first(product_id ORDER BY line) AS product_id, first(title ORDER BY line) AS title,
       first(category ORDER BY line) AS category, first(currency ORDER BY line) AS currency, sum(quantity)::BIGINT AS quantity,
       first(price ORDER BY line) AS price, first(list_price ORDER BY line) AS list_price, sum(revenue)::DECIMAL(18, 4) AS revenue, first(moment ORDER BY line) AS moment, min(line) AS line
FROM records
GROUP BY partition, "offset", reason, CASE WHEN reason IS NULL THEN product_id END
