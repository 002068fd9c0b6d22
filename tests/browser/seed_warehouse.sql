-- A plausible shop: `seed.lines` order lines over `seed.days` days (evening peaks, slow growth), the last two hours dense; UTC.
-- Needs set_config('seed.lines' | 'seed.days' | 'seed.users') in the session. Deterministic up to now().
SELECT setseed(0.42);

INSERT INTO warehouse.dim_category (category)
VALUES ('Electronics'), ('Home & Kitchen'), ('Clothing'), ('Sports'), ('Books'), ('Beauty');

CREATE TEMP TABLE seed_products AS
SELECT * FROM (VALUES
    (1, 'Noise-cancelling headphones', 'Electronics', 189.00), (2, 'Portable SSD 1 TB', 'Electronics', 94.50),
    (3, '27-inch monitor', 'Electronics', 279.00), (4, 'Mechanical keyboard', 'Electronics', 119.90),
    (5, 'Cast-iron skillet', 'Home & Kitchen', 44.00), (6, 'Burr coffee grinder', 'Home & Kitchen', 79.00),
    (7, 'Linen bed set', 'Home & Kitchen', 129.00), (8, 'Desk lamp', 'Home & Kitchen', 38.50),
    (9, 'Merino sweater', 'Clothing', 84.00), (10, 'Rain jacket', 'Clothing', 139.00), (11, 'Denim jeans', 'Clothing', 69.00),
    (12, 'Wool socks, 3 pairs', 'Clothing', 24.00), (13, 'Trail running shoes', 'Sports', 124.00), (14, 'Yoga mat', 'Sports', 34.90),
    (15, 'Adjustable dumbbells', 'Sports', 219.00), (16, 'Insulated bottle', 'Sports', 27.50),
    (17, 'Field guide to birds', 'Books', 32.00), (18, 'Bread baking, a course', 'Books', 41.00),
    (19, 'Vitamin C serum', 'Beauty', 29.00), (20, 'Beard care kit', 'Beauty', 36.00)
) AS p (product_id, product_title, category, price);

INSERT INTO warehouse.dim_product (product_id, product_title, category_key, described_at)
SELECT product_id::text, product_title, category_key, now() FROM seed_products JOIN warehouse.dim_category USING (category) ORDER BY product_id;

INSERT INTO warehouse.dim_user (user_id, name, email, city, country, registered_at, profile_at)
SELECT u::text, given || ' ' || family, lower(given || '.' || family || u) || '@example.com', city, country, at, at
FROM (
    SELECT u,
        (ARRAY['Amara','Ben','Chiara','Diego','Elif','Femi','Greta','Hugo','Ines','Jonas','Keiko','Liam','Maya','Noor','Oskar','Priya'])[1 + u * 7 % 16] AS given,
        (ARRAY['Okafor','Larsen','Rossi','Moreno','Yilmaz','Novak','Weber','Dubois','Silva','Tanaka','Murphy','Haddad','Lindgren','Patel','Kim'])[1 + u * 11 % 15] AS family,
        (ARRAY['Lagos','Oslo','Milan','Madrid','Izmir','Prague','Berlin','Lyon','Porto','Osaka','Cork','Amman'])[1 + u % 12] AS city,
        (ARRAY['Nigeria','Norway','Italy','Spain','Turkey','Czechia','Germany','France','Portugal','Japan','Ireland','Jordan'])[1 + u % 12] AS country,
        now() - random() * current_setting('seed.days')::int * interval '1 day' AS at
    FROM generate_series(1, current_setting('seed.users')::int) AS u
) AS users;

INSERT INTO warehouse.user_changes (user_id, changed_at, kind, name, email, city, country, source_partition, source_offset, load_xid)
SELECT user_id, now() - (current_setting('seed.days')::int + 2) * interval '1 day', 'user_registered', name, email, city, country,
    0, 0, pg_current_xact_id()::text::bigint
FROM warehouse.dim_user;

CREATE TEMP TABLE seed_orders AS
SELECT o AS order_number, 1 + floor(current_setting('seed.users')::int * power(random(), 1.5))::int AS user_id, 1 + floor(random() * 4)::int AS lines,
    CASE WHEN o % 40 = 0 THEN now() - random() * interval '2 hours'
         ELSE least(now() - interval '1 second', now() - (power(random(), 1.25) * current_setting('seed.days')::int)::int * interval '1 day'
              - ((5 + 4 * (random() + random() + random() - 1.5)) * interval '1 hour')) END AS ordered_at
FROM generate_series(1, greatest(1, (current_setting('seed.lines')::int / 2.5)::int)) AS o;

INSERT INTO warehouse.dim_date
SELECT to_char(d, 'YYYYMMDD')::int, d, extract(year FROM d), extract(quarter FROM d), extract(month FROM d), extract(day FROM d),
    extract(week FROM d), extract(isodow FROM d), extract(isodow FROM d) >= 6
FROM (SELECT DISTINCT (ordered_at AT TIME ZONE 'UTC')::date AS d FROM seed_orders) AS days ORDER BY d;

INSERT INTO warehouse.fact_sales (order_id, product_key, user_key, category_key, date_key, ordered_at, quantity, unit_price, revenue,
    source_partition, source_offset, load_xid)
SELECT 'ord-' || lpad(l.order_number::text, 9, '0'), p.product_key, u.user_key, p.category_key,
    to_char(l.ordered_at AT TIME ZONE 'UTC', 'YYYYMMDD')::int, l.ordered_at, l.quantity, s.price, s.price * l.quantity,
    l.user_id % 4, row_number() OVER (PARTITION BY l.user_id % 4 ORDER BY l.ordered_at) - 1, pg_current_xact_id()::text::bigint
FROM (
    SELECT DISTINCT ON (order_number, product_id) *
    FROM (SELECT o.*, 1 + floor(20 * power(random(), 1.35))::int AS product_id, 1 + floor(power(random(), 3) * 4)::int AS quantity
          FROM seed_orders AS o, generate_series(1, o.lines)) AS drawn
) AS l
JOIN warehouse.dim_product AS p ON p.product_id = l.product_id::text
JOIN warehouse.dim_user AS u ON u.user_id = l.user_id::text
JOIN seed_products AS s ON s.product_id = l.product_id
ORDER BY l.ordered_at;

INSERT INTO realtime.minutes_by_currency (window_start, category, currency, revenue, orders, lines, units)
SELECT date_trunc('minute', ordered_at), category, currency, sum(revenue), count(DISTINCT order_id), count(*), sum(quantity)
FROM warehouse.fact_sales JOIN warehouse.dim_category USING (category_key) GROUP BY 1, 2, 3;

INSERT INTO ops.consumer_offsets (topic, partition, next_offset, epoch, first_offset, own, facts, other)
SELECT 'ecommerce_events', p, n + n / 50, 1, 0, n + n / 50, n, n / 50
FROM (SELECT source_partition AS p, count(*) AS n FROM warehouse.fact_sales GROUP BY 1) AS counted;

INSERT INTO ops.load_batches (loaded_at, records, facts, duplicates, other, dead, oldest_broker_time, newest_broker_time, offsets)
SELECT at, 34 + n, 30 + n, 0, 4, 0, at - interval '60 ms' - random() * interval '190 ms', at, '{}'
FROM (SELECT at, (18 + 14 * sin(extract(epoch FROM at) / 700) + 10 * random())::int AS n
      FROM generate_series(now() - interval '2 hours', now(), interval '2 seconds') AS at) AS batches;

-- Two hours of a run's health: samples, micro-batches, dead letters, a restart, a gap.
INSERT INTO ops.health_samples (at, sent, faults, loaded, newest_batch, events, delay_p50_ms, delay_p95_ms, delay_p99_ms, partitions,
    parts, memory, disk, stream)
SELECT at, 100000 + n * 40, CASE WHEN n BETWEEN 1200 AND 1260 THEN (n - 1200) * 3 WHEN n > 1260 THEN 180 ELSE 0 END,
    100000 + n * 40 - wait, n, 200, 60 + 20 * random(), 140 + 60 * random(), 200 + 160 * random(),
    (SELECT jsonb_agg(jsonb_build_object('topic', 'ecommerce_events', 'partition', o.partition, 'name', o.partition::text,
            'end_offset', o.next_offset - (1440 - n) * 10, 'next_offset', o.next_offset - (1440 - n) * 10 - wait / 4) ORDER BY o.partition)
     FROM ops.consumer_offsets o),
    jsonb_build_object('kafka', 'ready', 'postgres', 'ready', 'spark', 'ready', 'stream', 'ready', 'schedule', 'ready', 'page', 'ready',
        'load', CASE WHEN n BETWEEN 1100 AND 1103 THEN 'restarting' ELSE 'ready' END, 'produce', 'ready'),
    jsonb_build_object('kafka', 420e6::bigint, 'postgres', 310e6::bigint + n * 20000, 'spark', 880e6::bigint, 'load', 95e6::bigint,
        'produce', 70e6::bigint, 'run', 190e6::bigint),
    jsonb_build_object('kafka', 60e6::bigint + n * 9000, 'postgres', 90e6::bigint + n * 15000, 'spark', 4000000, 'logs', 900000 + n * 100),
    jsonb_build_object('rows_per_s', 40 + n % 9, 'state_rows', 5000 + n % 400, 'late_rows', n / 700, 'watermark_lag_s', 125, 'phases_ms',
        jsonb_build_object('addBatch', 500 + n % 60, 'queryPlanning', 120, 'walCommit', 30, 'commitOffsets', 25, 'latestOffset', 8))
FROM (SELECT n, now() - (1440 - n) * interval '5 seconds' AS at,
             CASE WHEN n BETWEEN 1100 AND 1115 THEN (1116 - n) * 60 ELSE (n % 7) * 4 END AS wait
      FROM generate_series(1, 1440) AS n) AS ticks;

INSERT INTO realtime.stream_progress (query, batch_id, at, watermark, input_rows, late_rows, duration_ms)
SELECT 'per_minute', n, now() - (720 - n) * interval '10 seconds', now() - (720 - n) * interval '10 seconds' - interval '125 seconds', 400,
    (n % 350 = 0)::int, 700 + (300 * random())::int
FROM generate_series(1, 720) AS n;

INSERT INTO ops.dead_letters (topic, partition, "offset", broker_time, reason, detail, error_class, loaded_at)
SELECT 'ecommerce_events', n % 4, 900000000 + n, at, (ARRAY['not_json', 'bad_timestamp', 'revenue_mismatch'])[1 + n % 3], 'sent wrong on purpose', 'Rejected', at
FROM (SELECT n, now() - interval '20 minutes' + n * interval '5 seconds' AS at FROM generate_series(1, 60) AS n) AS rubbish;
UPDATE ops.consumer_offsets SET dead = 15, next_offset = next_offset + 15;

INSERT INTO ops.service_events (at, service, event, detail)
VALUES (now() - interval '29 minutes', 'load', 'died', 'it ended by signal 9'), (now() - interval '28 minutes', 'load', 'restarted', '1.1 s');
INSERT INTO ops.gaps (topic, partition, first_offset, last_offset, found_at) VALUES ('ecommerce_events', 2, 0, 11, now() - interval '1 hour');
UPDATE ops.consumer_offsets SET lost = 12, next_offset = next_offset + 12 WHERE partition = 2;
