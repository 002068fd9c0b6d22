-- Kafka records -> what the minutes need of each; see java/Judge.java.
SELECT j.order_id, j.product_id, j.category, j.quantity, j.revenue_e4, j.currency, timestamp_micros(j.ordered_us) AS ordered_at,
       j.valid, j.ahead
FROM (SELECT judge(value) AS j FROM kafka_records)
