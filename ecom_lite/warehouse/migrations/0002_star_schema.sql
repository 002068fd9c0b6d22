-- The star: four dimensions, two fact tables, the profile history, and three views for people.
CREATE TABLE warehouse.dim_user (
    user_key      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id       bigint NOT NULL UNIQUE,
    name          text,
    email         text,
    city          text,
    country       text,
    registered_at timestamptz,           -- event time of user_registered; null for a user known only by orders
    profile_at    timestamptz            -- event time of the profile shown here: the newest wins
);

CREATE TABLE warehouse.dim_category (
    category_key  integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    category      text NOT NULL UNIQUE
);

CREATE TABLE warehouse.dim_product (
    product_key   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    product_id    bigint NOT NULL UNIQUE,
    product_title text NOT NULL,
    category_key  integer NOT NULL REFERENCES warehouse.dim_category NOT ENFORCED,
    described_at  timestamptz NOT NULL   -- event time of the title and category shown here: the newest wins
);

CREATE TABLE warehouse.dim_date (
    date_key      integer PRIMARY KEY,   -- yyyymmdd, UTC
    date          date NOT NULL UNIQUE,
    year          smallint NOT NULL,
    quarter       smallint NOT NULL,
    month         smallint NOT NULL,
    day           smallint NOT NULL,
    iso_week      smallint NOT NULL,
    iso_weekday   smallint NOT NULL,     -- 1 Monday .. 7 Sunday
    is_weekend    boolean NOT NULL
);

CREATE TABLE warehouse.fact_sales (      -- grain: one order line
    order_id      text NOT NULL,
    product_key   bigint NOT NULL REFERENCES warehouse.dim_product NOT ENFORCED,
    user_key      bigint NOT NULL REFERENCES warehouse.dim_user NOT ENFORCED,
    category_key  integer NOT NULL REFERENCES warehouse.dim_category NOT ENFORCED,
    date_key      integer NOT NULL REFERENCES warehouse.dim_date NOT ENFORCED,
    ordered_at    timestamptz NOT NULL,  -- event time
    product_id    bigint NOT NULL,
    quantity      integer NOT NULL,
    unit_price    numeric(10, 2) NOT NULL,
    revenue       numeric(14, 2) NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    load_xid      bigint NOT NULL,       -- the loading transaction: the order in which marts take facts in
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, product_id)
);
CREATE INDEX fact_sales_ordered_at ON warehouse.fact_sales USING brin (ordered_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX fact_sales_load_xid ON warehouse.fact_sales USING brin (load_xid) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE warehouse.fact_returns (    -- grain: one order line taken back
    order_id      text NOT NULL,
    product_id    bigint NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('order_cancelled', 'order_returned')),
    quantity      integer NOT NULL,
    reason        text NOT NULL,
    returned_at   timestamptz NOT NULL,  -- event time
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    load_xid      bigint NOT NULL,
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, product_id, kind)
);

CREATE TABLE warehouse.user_changes (    -- append-only profile history
    user_id       bigint NOT NULL,
    changed_at    timestamptz NOT NULL,  -- event time
    kind          text NOT NULL CHECK (kind IN ('user_registered', 'user_updated')),
    name          text,
    email         text,
    city          text,
    country       text,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    load_xid      bigint NOT NULL,
    loaded_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, changed_at, kind)
);

CREATE INDEX user_changes_load_xid ON warehouse.user_changes USING brin (load_xid) WITH (autosummarize = on);

CREATE VIEW warehouse.sales_by_category AS
SELECT c.category, count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units, sum(f.revenue) AS revenue
FROM warehouse.fact_sales f JOIN warehouse.dim_category c USING (category_key)
GROUP BY c.category;

CREATE VIEW warehouse.sales_by_date AS
SELECT d.date, count(DISTINCT f.order_id) AS orders, count(*) AS lines, sum(f.quantity) AS units, sum(f.revenue) AS revenue
FROM warehouse.fact_sales f JOIN warehouse.dim_date d USING (date_key)
GROUP BY d.date;

CREATE VIEW warehouse.top_products AS
SELECT p.product_id, p.product_title, c.category, sum(f.quantity) AS units, sum(f.revenue) AS revenue,
       rank() OVER (ORDER BY sum(f.revenue) DESC) AS revenue_rank
FROM warehouse.fact_sales f
JOIN warehouse.dim_product p USING (product_key)
JOIN warehouse.dim_category c ON c.category_key = p.category_key
GROUP BY p.product_id, p.product_title, c.category;

GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA warehouse TO ecom_loader;
GRANT SELECT ON ALL TABLES IN SCHEMA warehouse TO ecom_dbt, ecom_reader;
