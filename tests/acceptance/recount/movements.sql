-- What is sold, and what of it comes back, each with its moment; and who lived where from when on.
CREATE OR REPLACE TABLE sold AS  -- one row per order and product: what was said first. Without a rate it is worth nothing
WITH said AS (
    SELECT *, (moment AT TIME ZONE 'UTC')::DATE AS utc_day FROM records
    WHERE kind = 'order'
    QUALIFY row_number() OVER (PARTITION BY order_id, product_id ORDER BY partition, "offset") = 1
), rated AS (
    SELECT said.*, CASE said.currency WHEN 'USD' THEN 1000000 ELSE coalesce(rates.rate, 0) END AS rate
    FROM said ASOF LEFT JOIN rates ON rates.currency = said.currency AND rates.day <= said.utc_day
)
SELECT
    order_id, user_id, product_id, title, category, channel, quantity, moment,
    over(price * quantity * rate, 1000000) AS revenue,
    over(greatest(coalesce(list_price, 0), price) * quantity * rate, 1000000) AS gross
FROM rated;

CREATE OR REPLACE TABLE came_back AS
WITH said AS (  -- a line may come back in parts; saying the same again adds nothing
    SELECT * FROM records
    WHERE kind IN ('order_cancelled', 'order_returned')
    QUALIFY row_number() OVER (PARTITION BY order_id, product_id, kind, mark ORDER BY partition, "offset") = 1
), known AS (
    SELECT
        said.order_id, said.product_id, said.kind, said.mark, said.reason, said.moment, said.quantity AS wanted,
        sold.user_id, sold.category, sold.moment AS sold_at, sold.quantity AS bought, sold.revenue,
        CASE WHEN said.moment >= sold.moment THEN said.quantity ELSE 0 END AS may
    FROM said LEFT JOIN sold USING (order_id, product_id)
), filled AS (  -- what has come back before it, and with it: never more than was bought
    SELECT *,
        least(bought, coalesce(sum(may) OVER before_it, 0)) AS already,
        least(bought, coalesce(sum(may) OVER before_it, 0) + may) AS then_back
    FROM known
    WINDOW before_it AS (PARTITION BY order_id, product_id ORDER BY moment, kind, mark ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
SELECT
    order_id, product_id, kind, mark, reason, moment, user_id, category, sold_at, wanted,
    coalesce(then_back - already, 0)::BIGINT AS units,
    coalesce(over(revenue * then_back, bought) - over(revenue * already, bought), 0)::BIGINT AS amount,
    CASE
        WHEN bought IS NULL THEN 'unknown line'
        WHEN moment < sold_at THEN 'before its order'
        WHEN already = bought THEN 'taken back already'
        WHEN already + may > bought THEN 'more than was bought'
    END AS problem
FROM filled;

CREATE OR REPLACE VIEW movements AS
SELECT order_id, user_id, product_id, category, moment, moment AS sold_at, 1 AS lines, quantity AS units, gross, gross - revenue AS discounts,
    revenue, 0 AS returned_units, 0 AS returns
FROM sold
UNION ALL
SELECT order_id, user_id, product_id, category, moment, sold_at, 0, 0, 0, 0, 0, units, amount FROM came_back WHERE units > 0;

CREATE OR REPLACE TABLE products AS  -- as the newest of its lines names it
SELECT product_id, arg_max(title, moment) AS title, arg_max(category, moment) AS category,
    sum(quantity)::BIGINT AS units, sum(gross)::BIGINT AS gross, sum(revenue)::BIGINT AS revenue, count(*) AS orders
FROM sold GROUP BY product_id;

CREATE OR REPLACE TABLE profiles AS  -- each moment at which something of a customer was said, with all that was known then
WITH said AS (  -- of several at one moment: in one kind the greater value, then what an update says
    SELECT user_id, moment, kind, max(name) AS name, max(city) AS city, max(country) AS country
    FROM records WHERE kind IN ('user_registered', 'user_updated') GROUP BY ALL
)
SELECT
    user_id,
    moment,
    last_value(name IGNORE NULLS) OVER so_far AS name,
    last_value(city IGNORE NULLS) OVER so_far AS city,
    last_value(country IGNORE NULLS) OVER so_far AS country
FROM said
WINDOW so_far AS (PARTITION BY user_id ORDER BY moment, kind ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
QUALIFY row_number() OVER (PARTITION BY user_id, moment ORDER BY kind DESC) = 1
