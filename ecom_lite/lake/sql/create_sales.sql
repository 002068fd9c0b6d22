CREATE TABLE IF NOT EXISTS lake.sales (
    order_id VARCHAR NOT NULL, user_id VARCHAR, product_id VARCHAR, product_title VARCHAR, category VARCHAR, country VARCHAR,
    ordered_at TIMESTAMPTZ NOT NULL, quantity INTEGER NOT NULL, price DECIMAL(12, 4) NOT NULL, revenue DECIMAL(18, 4) NOT NULL,
    currency VARCHAR NOT NULL, list_price DECIMAL(12, 4), load_xid BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL
)
