CREATE TABLE IF NOT EXISTS lake.daily (
    date DATE NOT NULL, lines BIGINT NOT NULL, orders BIGINT NOT NULL, units BIGINT NOT NULL, gross DECIMAL(20, 4) NOT NULL,
    discounts DECIMAL(20, 4) NOT NULL, revenue DECIMAL(20, 4) NOT NULL, returned_units BIGINT NOT NULL, returns DECIMAL(20, 4) NOT NULL,
    net DECIMAL(20, 4) NOT NULL, customers BIGINT NOT NULL, average_order_value DECIMAL(20, 4), returned_of_orders DECIMAL(20, 4) NOT NULL,
    returned_share DECIMAL(12, 6), load_xid BIGINT NOT NULL, as_of TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE lake.daily IS 'The figures of a day as the mart daily_sales had them at a run of dbt: a new row each time that they changed; the newest counts.';
COMMENT ON COLUMN lake.daily.date IS 'The day, by `shop.time_zone`.';
COMMENT ON COLUMN lake.daily.lines IS 'Order lines.';
COMMENT ON COLUMN lake.daily.orders IS 'Distinct orders.';
COMMENT ON COLUMN lake.daily.units IS 'Sum of quantities.';
COMMENT ON COLUMN lake.daily.gross IS 'What was ordered at list prices, in the reporting currency, as all amounts here.';
COMMENT ON COLUMN lake.daily.discounts IS 'gross - revenue.';
COMMENT ON COLUMN lake.daily.revenue IS 'What was ordered at the prices paid.';
COMMENT ON COLUMN lake.daily.returned_units IS 'Units cancelled or taken back.';
COMMENT ON COLUMN lake.daily.returns IS 'What was paid for them, booked on the day of the cancellation or return.';
COMMENT ON COLUMN lake.daily.net IS 'gross - discounts - returns.';
COMMENT ON COLUMN lake.daily.customers IS 'Distinct customers with an order line.';
COMMENT ON COLUMN lake.daily.average_order_value IS 'revenue over orders; null where there is no order.';
COMMENT ON COLUMN lake.daily.returned_of_orders IS 'What has come back until then of the orders of this day, whenever it came.';
COMMENT ON COLUMN lake.daily.returned_share IS 'returned_of_orders over revenue; null without revenue.';
COMMENT ON COLUMN lake.daily.load_xid IS 'The figures hold exactly the facts below it in the order of loads.';
COMMENT ON COLUMN lake.daily.as_of IS 'When the run of dbt began: so old are the figures.';
