-- Which topic of that name the offsets are of: one that was deleted and made anew is another, however far it is filled again.
ALTER TABLE ops.consumer_offsets
    ADD COLUMN topic_id uuid;            -- null: the broker names none, or the row is older than this column
