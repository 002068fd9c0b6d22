-- Nearly the columns of the loader's COPY (money as integers, no load_xid), and nothing else: no index, no constraint.
CREATE TABLE public.bare (
    order_id text, product_key bigint, user_key bigint, category_key integer, date_key integer, ordered_at timestamptz,
    quantity integer, price_cents bigint, revenue_cents bigint, source_partition integer, source_offset bigint
)
