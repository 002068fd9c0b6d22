-- What every table and column means, units included: \d+ shows it, and docs/tables.md is made of it.
COMMENT ON SCHEMA warehouse IS 'The star schema of sales, which the loader writes: each event once.';
COMMENT ON SCHEMA realtime IS 'Figures per minute of event time, written by Spark, or from the facts by plain SQL in a run without it.';
COMMENT ON SCHEMA ops IS 'The pipeline''s own record: what was sent, what became of every offset, what went wrong.';

COMMENT ON TABLE warehouse.dim_user IS 'One row per customer, with the newest profile by event time.';
COMMENT ON COLUMN warehouse.dim_user.user_key IS 'Surrogate key.';
COMMENT ON COLUMN warehouse.dim_user.user_id IS 'The customer''s number in the events.';
COMMENT ON COLUMN warehouse.dim_user.name IS 'Newest known name; null for a customer known only by orders.';
COMMENT ON COLUMN warehouse.dim_user.email IS 'Newest known e-mail address; null where no event has one.';
COMMENT ON COLUMN warehouse.dim_user.city IS 'Newest known city; null where no event has one.';
COMMENT ON COLUMN warehouse.dim_user.country IS 'Newest known country; null where no event has one.';
COMMENT ON COLUMN warehouse.dim_user.registered_at IS 'Event time of the first user_registered; null where there was none.';
COMMENT ON COLUMN warehouse.dim_user.profile_at IS 'Event time of the newest change of the profile; null where there was none.';

COMMENT ON TABLE warehouse.dim_category IS 'One row per product category.';
COMMENT ON COLUMN warehouse.dim_category.category_key IS 'Surrogate key.';
COMMENT ON COLUMN warehouse.dim_category.category IS 'The category''s name, as in the events.';

COMMENT ON TABLE warehouse.dim_product IS 'One row per product, with the newest title and category by event time.';
COMMENT ON COLUMN warehouse.dim_product.product_key IS 'Surrogate key.';
COMMENT ON COLUMN warehouse.dim_product.product_id IS 'The product''s number in the events.';
COMMENT ON COLUMN warehouse.dim_product.product_title IS 'Newest title.';
COMMENT ON COLUMN warehouse.dim_product.category_key IS 'Newest category (dim_category).';
COMMENT ON COLUMN warehouse.dim_product.described_at IS 'Event time of the order line that gave the title and category shown here.';

COMMENT ON TABLE warehouse.dim_date IS 'One row per UTC date on which something was sold.';
COMMENT ON COLUMN warehouse.dim_date.date_key IS 'The date as the number yyyymmdd.';
COMMENT ON COLUMN warehouse.dim_date.date IS 'The date, UTC.';
COMMENT ON COLUMN warehouse.dim_date.year IS 'Calendar year.';
COMMENT ON COLUMN warehouse.dim_date.quarter IS '1 to 4.';
COMMENT ON COLUMN warehouse.dim_date.month IS '1 to 12.';
COMMENT ON COLUMN warehouse.dim_date.day IS 'Day of the month, 1 to 31.';
COMMENT ON COLUMN warehouse.dim_date.iso_week IS 'ISO 8601 week, 1 to 53; around New Year it may be of the year before or after.';
COMMENT ON COLUMN warehouse.dim_date.iso_weekday IS '1 Monday to 7 Sunday.';
COMMENT ON COLUMN warehouse.dim_date.is_weekend IS 'Saturday or Sunday.';

COMMENT ON TABLE warehouse.fact_sales IS 'One row per order line. The foreign keys are not enforced by PostgreSQL; `ecom_lite check` proves them.';
COMMENT ON COLUMN warehouse.fact_sales.order_id IS 'The order, as text; with product_id it names the line.';
COMMENT ON COLUMN warehouse.fact_sales.product_key IS 'The product (dim_product).';
COMMENT ON COLUMN warehouse.fact_sales.user_key IS 'The customer (dim_user).';
COMMENT ON COLUMN warehouse.fact_sales.category_key IS 'The category that the event named (dim_category); the product may have moved to another one since.';
COMMENT ON COLUMN warehouse.fact_sales.date_key IS 'UTC date of ordered_at (dim_date).';
COMMENT ON COLUMN warehouse.fact_sales.ordered_at IS 'Event time.';
COMMENT ON COLUMN warehouse.fact_sales.product_id IS 'The product''s number in the events; with order_id it names the line.';
COMMENT ON COLUMN warehouse.fact_sales.quantity IS 'Units sold, 1 to 10,000.';
COMMENT ON COLUMN warehouse.fact_sales.unit_price IS 'Price of one unit, in the shop''s currency.';
COMMENT ON COLUMN warehouse.fact_sales.revenue IS 'unit_price x quantity, in the shop''s currency. Returns are not taken off.';
COMMENT ON COLUMN warehouse.fact_sales.load_xid IS 'The transaction that loaded it: the order in which marts take facts in.';
COMMENT ON COLUMN warehouse.fact_sales.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.fact_sales.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.fact_sales.loaded_at IS 'When the transaction that loaded it began.';

COMMENT ON TABLE warehouse.fact_returns IS 'One row per order line that was cancelled or returned. The line stays in fact_sales.';
COMMENT ON COLUMN warehouse.fact_returns.order_id IS 'The order.';
COMMENT ON COLUMN warehouse.fact_returns.product_id IS 'The product''s number in the events; with order_id it names the line in fact_sales.';
COMMENT ON COLUMN warehouse.fact_returns.kind IS 'order_cancelled or order_returned.';
COMMENT ON COLUMN warehouse.fact_returns.quantity IS 'Units taken back.';
COMMENT ON COLUMN warehouse.fact_returns.reason IS 'In the words of the event; empty where it has none.';
COMMENT ON COLUMN warehouse.fact_returns.returned_at IS 'Event time.';
COMMENT ON COLUMN warehouse.fact_returns.load_xid IS 'The transaction that loaded it.';
COMMENT ON COLUMN warehouse.fact_returns.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.fact_returns.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.fact_returns.loaded_at IS 'When the transaction that loaded it began.';

COMMENT ON TABLE warehouse.user_changes IS 'Append-only history of the customers'' profiles: one row per registration or change.';
COMMENT ON COLUMN warehouse.user_changes.user_id IS 'The customer''s number in the events.';
COMMENT ON COLUMN warehouse.user_changes.changed_at IS 'Event time.';
COMMENT ON COLUMN warehouse.user_changes.kind IS 'user_registered or user_updated.';
COMMENT ON COLUMN warehouse.user_changes.name IS 'Null where the event does not say.';
COMMENT ON COLUMN warehouse.user_changes.email IS 'Null where the event does not say.';
COMMENT ON COLUMN warehouse.user_changes.city IS 'Null where the event does not say.';
COMMENT ON COLUMN warehouse.user_changes.country IS 'Null where the event does not say.';
COMMENT ON COLUMN warehouse.user_changes.load_xid IS 'The transaction that loaded it: the order in which marts take changes in.';
COMMENT ON COLUMN warehouse.user_changes.source_partition IS 'Partition of the record that it came by.';
COMMENT ON COLUMN warehouse.user_changes.source_offset IS 'Offset of the record that it came by.';
COMMENT ON COLUMN warehouse.user_changes.loaded_at IS 'When the transaction that loaded it began.';

COMMENT ON VIEW warehouse.sales_by_category IS 'All sales by the category that the events named.';
COMMENT ON COLUMN warehouse.sales_by_category.category IS 'The category''s name.';
COMMENT ON COLUMN warehouse.sales_by_category.orders IS 'Distinct orders.';
COMMENT ON COLUMN warehouse.sales_by_category.lines IS 'Order lines.';
COMMENT ON COLUMN warehouse.sales_by_category.units IS 'Sum of the quantities.';
COMMENT ON COLUMN warehouse.sales_by_category.revenue IS 'Sum of the revenue.';

COMMENT ON VIEW warehouse.sales_by_date IS 'All sales by UTC date.';
COMMENT ON COLUMN warehouse.sales_by_date.date IS 'UTC date of the event time.';
COMMENT ON COLUMN warehouse.sales_by_date.orders IS 'Distinct orders.';
COMMENT ON COLUMN warehouse.sales_by_date.lines IS 'Order lines.';
COMMENT ON COLUMN warehouse.sales_by_date.units IS 'Sum of the quantities.';
COMMENT ON COLUMN warehouse.sales_by_date.revenue IS 'Sum of the revenue.';

COMMENT ON VIEW warehouse.top_products IS 'All sales by product, ranked.';
COMMENT ON COLUMN warehouse.top_products.product_id IS 'The product''s number in the events.';
COMMENT ON COLUMN warehouse.top_products.product_title IS 'Newest title.';
COMMENT ON COLUMN warehouse.top_products.category IS 'Newest category.';
COMMENT ON COLUMN warehouse.top_products.units IS 'Sum of the quantities.';
COMMENT ON COLUMN warehouse.top_products.revenue IS 'Sum of the revenue.';
COMMENT ON COLUMN warehouse.top_products.revenue_rank IS '1 is the product with the most revenue; equal revenue, equal rank.';

COMMENT ON TABLE realtime.sales_per_minute IS 'One row per minute of event time and category.';
COMMENT ON COLUMN realtime.sales_per_minute.window_start IS 'Where the minute begins; it ends 60 s later.';
COMMENT ON COLUMN realtime.sales_per_minute.category IS 'The category that the events named.';
COMMENT ON COLUMN realtime.sales_per_minute.revenue IS 'Sum of the revenue, in the shop''s currency.';
COMMENT ON COLUMN realtime.sales_per_minute.orders IS 'Distinct orders with a line of this category in this minute.';
COMMENT ON COLUMN realtime.sales_per_minute.lines IS 'Order lines.';
COMMENT ON COLUMN realtime.sales_per_minute.units IS 'Sum of the quantities.';
COMMENT ON COLUMN realtime.sales_per_minute.updated_at IS 'When the row was last written.';

COMMENT ON TABLE realtime.stream_progress IS 'One row per micro-batch. Those older than two days are summed up in the row with batch_id -1.';
COMMENT ON COLUMN realtime.stream_progress.query IS 'The Spark query, or light where plain SQL keeps the minutes.';
COMMENT ON COLUMN realtime.stream_progress.batch_id IS 'Number of the micro-batch within the query; -1 sums up the old ones.';
COMMENT ON COLUMN realtime.stream_progress.at IS 'When it was written.';
COMMENT ON COLUMN realtime.stream_progress.watermark IS 'Minutes that end at or before it are closed: they change no more.';
COMMENT ON COLUMN realtime.stream_progress.input_rows IS 'Records that Spark read from the topic; with light, facts taken in.';
COMMENT ON COLUMN realtime.stream_progress.late_rows IS 'Dropped because they were older than the watermark.';
COMMENT ON COLUMN realtime.stream_progress.duplicate_rows IS 'Dropped because (order_id, product_id) was seen before.';
COMMENT ON COLUMN realtime.stream_progress.duration_ms IS 'Milliseconds that the micro-batch took.';

COMMENT ON TABLE realtime.light_progress IS 'How far plain SQL has brought sales_per_minute, in a run without Spark: no row or one.';
COMMENT ON COLUMN realtime.light_progress.one_row IS 'Always true: there is one row at most.';
COMMENT ON COLUMN realtime.light_progress.load_xid_below IS 'Facts with a load_xid below it are in sales_per_minute.';

COMMENT ON TABLE ops.consumer_offsets IS 'How far each partition is loaded, and what became of its offsets. This is the truth; Kafka''s own commits are for displays of lag.';
COMMENT ON COLUMN ops.consumer_offsets.topic IS 'The topic.';
COMMENT ON COLUMN ops.consumer_offsets.partition IS 'The partition.';
COMMENT ON COLUMN ops.consumer_offsets.next_offset IS 'Where loading goes on: every offset below it is in the counts of this row.';
COMMENT ON COLUMN ops.consumer_offsets.epoch IS 'Goes up when a loader takes the partition over, so that a former owner''s write fails.';
COMMENT ON COLUMN ops.consumer_offsets.first_offset IS 'Where counting began.';
COMMENT ON COLUMN ops.consumer_offsets.own IS 'Records that this warehouse''s simulated shop has sent (by a header); the rest are foreign.';
COMMENT ON COLUMN ops.consumer_offsets.facts IS 'Records that became a row of warehouse.fact_sales.';
COMMENT ON COLUMN ops.consumer_offsets.duplicates IS 'Records whose row was there already.';
COMMENT ON COLUMN ops.consumer_offsets.other IS 'Records that became a row of warehouse.fact_returns or warehouse.user_changes.';
COMMENT ON COLUMN ops.consumer_offsets.dead IS 'Records that became a dead letter.';
COMMENT ON COLUMN ops.consumer_offsets.markers IS 'Offsets without a record: markers of transactions, or compacted away.';
COMMENT ON COLUMN ops.consumer_offsets.lost IS 'Offsets that retention removed before they were loaded (ops.gaps).';
COMMENT ON COLUMN ops.consumer_offsets.updated_at IS 'When the row was last written.';
COMMENT ON COLUMN ops.consumer_offsets.topic_id IS 'Kafka''s id of the topic: one that was made anew has another. Null where the broker names none, or in a row older than this column.';

COMMENT ON TABLE ops.load_batches IS 'One row per transaction of a loader. The last three days are kept.';
COMMENT ON COLUMN ops.load_batches.batch_id IS 'Number of the batch.';
COMMENT ON COLUMN ops.load_batches.loaded_at IS 'When the transaction began.';
COMMENT ON COLUMN ops.load_batches.records IS 'Records read.';
COMMENT ON COLUMN ops.load_batches.facts IS 'Records that became a row of warehouse.fact_sales.';
COMMENT ON COLUMN ops.load_batches.duplicates IS 'Records whose row was there already.';
COMMENT ON COLUMN ops.load_batches.other IS 'Records that became a row of warehouse.fact_returns or warehouse.user_changes.';
COMMENT ON COLUMN ops.load_batches.dead IS 'Records that became a dead letter.';
COMMENT ON COLUMN ops.load_batches.oldest_broker_time IS 'The oldest time that Kafka has for a record of the batch: loaded_at minus this is the longest delay.';
COMMENT ON COLUMN ops.load_batches.newest_broker_time IS 'The newest time that Kafka has for a record of the batch.';
COMMENT ON COLUMN ops.load_batches.offsets IS 'The offsets read, as {"partition": [from, to]}, to exclusive.';

COMMENT ON TABLE ops.dead_letters IS 'One row per record that broke the contract, as it was. Rows are never deleted.';
COMMENT ON COLUMN ops.dead_letters.topic IS 'The topic that it was on.';
COMMENT ON COLUMN ops.dead_letters.partition IS 'The partition that it was on.';
COMMENT ON COLUMN ops.dead_letters."offset" IS 'The offset that it was at.';
COMMENT ON COLUMN ops.dead_letters.broker_time IS 'The time that Kafka has for the record.';
COMMENT ON COLUMN ops.dead_letters.key IS 'The record''s key, byte for byte; null where it had none, or once purged.';
COMMENT ON COLUMN ops.dead_letters.value IS 'The record''s value, byte for byte; null for a tombstone, or once purged.';
COMMENT ON COLUMN ops.dead_letters.headers IS 'The record''s headers, as [[name, value in base64], ...]. Once purged, only the program''s own.';
COMMENT ON COLUMN ops.dead_letters.reason IS 'What is wrong, in one word, such as bad_timestamp; `ecom_lite dead list` counts by it.';
COMMENT ON COLUMN ops.dead_letters.detail IS 'What is wrong, for people: field, value, what to change.';
COMMENT ON COLUMN ops.dead_letters.error_class IS 'The Python class of the error.';
COMMENT ON COLUMN ops.dead_letters.loaded_at IS 'When the transaction that loaded it began.';
COMMENT ON COLUMN ops.dead_letters.resent_at IS 'When it was last sent again; null for never.';
COMMENT ON COLUMN ops.dead_letters.resent_partition IS 'The partition that it was sent to.';
COMMENT ON COLUMN ops.dead_letters.resent_offset IS 'The offset that it was sent to.';
COMMENT ON COLUMN ops.dead_letters.purged_at IS 'When key and value were emptied; null for never.';
COMMENT ON COLUMN ops.dead_letters.purged_bytes IS 'Bytes that key, value and headers had before.';

COMMENT ON TABLE ops.sent_ledger IS 'What the broker has acknowledged to the simulated shop''s producer, per shop and partition.';
COMMENT ON COLUMN ops.sent_ledger.shop IS 'One stream of events, such as seed-7.';
COMMENT ON COLUMN ops.sent_ledger.partition IS 'The partition.';
COMMENT ON COLUMN ops.sent_ledger.events IS 'All records, those sent wrong on purpose included.';
COMMENT ON COLUMN ops.sent_ledger.order_lines IS 'Order lines of the stream.';
COMMENT ON COLUMN ops.sent_ledger.other_events IS 'Other events of the stream.';
COMMENT ON COLUMN ops.sent_ledger.revenue IS 'Sum of the order lines'' revenue, in the shop''s currency.';
COMMENT ON COLUMN ops.sent_ledger.next_offset IS 'Every record of the shop below it is counted here.';
COMMENT ON COLUMN ops.sent_ledger.updated_at IS 'When the row was last written.';
COMMENT ON COLUMN ops.sent_ledger.faults IS 'Faults sent on purpose, by kind, as {"late": 7, "duplicate": 3, "malformed.not_json": 2}.';
COMMENT ON COLUMN ops.sent_ledger.resume_offset IS 'Every event from next_sequence of ops.shops on lies here or above: a restart reads on from here.';

COMMENT ON TABLE ops.shops IS 'One row per simulated shop: where its stream of events goes on after a restart, and what must stay the same for its life.';
COMMENT ON COLUMN ops.shops.shop IS 'One stream of events, such as seed-7.';
COMMENT ON COLUMN ops.shops.next_sequence IS 'Every order below this number is acknowledged whole.';
COMMENT ON COLUMN ops.shops.updated_at IS 'When the row was last written.';
COMMENT ON COLUMN ops.shops.opened_at IS 'Where its clock began; null: events carry the time of sending.';
COMMENT ON COLUMN ops.shops.live_from IS 'Up to here its clock ran at full speed; null where there was no such past.';
COMMENT ON COLUMN ops.shops.settings IS 'The settings that its events are a function of, beside seed and sequence.';
COMMENT ON COLUMN ops.shops.episodes IS 'How many bursts and silences there were, as {"burst": 3, "silence": 1}.';

COMMENT ON VIEW ops.sent_faults IS 'The faults of ops.sent_ledger, one row per kind.';
COMMENT ON COLUMN ops.sent_faults.shop IS 'One stream of events, such as seed-7.';
COMMENT ON COLUMN ops.sent_faults.partition IS 'The partition.';
COMMENT ON COLUMN ops.sent_faults.fault IS 'late, out_of_order, duplicate, or malformed. with the kind behind it.';
COMMENT ON COLUMN ops.sent_faults.events IS 'Records sent with this fault.';

COMMENT ON TABLE ops.dbt_runs IS 'One row per run of dbt.';
COMMENT ON COLUMN ops.dbt_runs.run_id IS 'Number of the run.';
COMMENT ON COLUMN ops.dbt_runs.trigger IS 'What it was started for: first facts, first minute, history, schedule, refresh or stop.';
COMMENT ON COLUMN ops.dbt_runs.started_at IS 'When it began.';
COMMENT ON COLUMN ops.dbt_runs.finished_at IS 'When it ended; null while it goes on.';
COMMENT ON COLUMN ops.dbt_runs.status IS 'running, success, tests failed (the marts are built) or error.';
COMMENT ON COLUMN ops.dbt_runs.load_xid_below IS 'The cut: the run takes in exactly the facts with a load_xid below it.';
COMMENT ON COLUMN ops.dbt_runs.models IS 'Models built.';
COMMENT ON COLUMN ops.dbt_runs.tests_passed IS 'Tests that passed.';
COMMENT ON COLUMN ops.dbt_runs.tests_failed IS 'Tests that failed.';
COMMENT ON COLUMN ops.dbt_runs.message IS 'The first failing test, or the error; empty where all is well.';

COMMENT ON TABLE ops.service_events IS 'What happened to the parts of runs: started, ready, died and the like.';
COMMENT ON COLUMN ops.service_events.at IS 'When.';
COMMENT ON COLUMN ops.service_events.service IS 'The part, such as load.';
COMMENT ON COLUMN ops.service_events.event IS 'What happened, in one word.';
COMMENT ON COLUMN ops.service_events.detail IS 'What there is to say about it.';

COMMENT ON TABLE ops.mark IS 'One row: the mark of this warehouse. It moves with a dump.';
COMMENT ON COLUMN ops.mark.mark IS 'Stands in a header of each record that a shop of this warehouse sends, so that others'' records are told apart.';

COMMENT ON TABLE ops.gaps IS 'One row per range of offsets that Kafka''s retention removed before they were loaded.';
COMMENT ON COLUMN ops.gaps.topic IS 'The topic.';
COMMENT ON COLUMN ops.gaps.partition IS 'The partition.';
COMMENT ON COLUMN ops.gaps.first_offset IS 'The first offset that is lost.';
COMMENT ON COLUMN ops.gaps.last_offset IS 'The last offset that is lost.';
COMMENT ON COLUMN ops.gaps.found_at IS 'When the loader found it.';
